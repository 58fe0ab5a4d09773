"""Loads the Deployment and looks at what its autoscaler says, then at whether it makes another pod."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from k8s_helpers.exercises.controls import Bench, Finding, Traffic, parse_quantity
from k8s_helpers.labs.autoscaling import complaint, condition

NAME = "vitrine"
RATE_PER_S, CPU_MS = 20.0, 16
MEASURED_S, SCALED_S = 60.0, 60.0
"""Longest waits, for a first measure and for another pod: seconds here, a metrics-server's period elsewhere."""


def check(bench: Bench) -> Finding:
    """Return whether the autoscaler works."""
    objects = bench.answer["manifeste"]
    names = {item["kind"]: item["metadata"].get("name") for item in objects}
    if names != {"Deployment": NAME, "HorizontalPodAutoscaler": NAME}:
        return Finding("incomplet", f"votre manifeste contient {', '.join(names) or 'rien'}.")
    bench.progress.step("Déploiement de votre manifeste")
    bench.apply(objects)
    bench.apply(bench.given("service.yaml"))
    bench.wait_settled()
    bench.wait_answers(NAME)
    bench.progress.step("L’autoscaler attend sa première mesure")
    if (blind := _first_measure(bench)) is not None:
        return blind
    bench.progress.step(f"Charge de {RATE_PER_S:g} requêtes par seconde")
    plain = bench.namespace.service_url(NAME)
    with Traffic(plain.at(f"cpu?ms={CPU_MS}"), rate_per_s=RATE_PER_S, max_duration_s=SCALED_S):
        return _scaled(bench)


def _first_measure(bench: Bench) -> Finding | None:
    """Wait for the first measure; return what keeps it from coming."""
    reason = ""

    def look() -> tuple[bool, Finding | None]:
        nonlocal reason
        hpa = bench.namespace.get("hpa", NAME)
        if _seen(hpa) is not None:
            return True, None
        reason = complaint(hpa) or reason
        if "missing request for cpu" in reason:
            unknown = f"« kubectl get hpa » montre « <unknown> » : {reason}."
            return True, Finding("sans-demande", unknown)
        if (lost := condition(hpa, "AbleToScale")).get("status") == "False":
            why = f"{lost.get('reason')} : {lost.get('message')}."
            return True, Finding("cible-introuvable", why)
        return False, None

    decided, blind = bench.until(look, MEASURED_S, lambda seen: seen[0], every_s=0.5)
    if decided:
        return blind
    late = f"pas de mesure après {MEASURED_S:g} s ({reason or 'sans raison'})."
    return Finding("sans-demande", late)


def _scaled(bench: Bench) -> Finding:
    most = Seen("rien", "–", 0.0)

    def look() -> Finding | None:
        nonlocal most
        hpa = bench.namespace.get("hpa", NAME)
        if (now := _seen(hpa)) is not None and now.ratio >= most.ratio:
            most = now
        return _decision(hpa, most)

    decision = bench.until(look, SCALED_S, every_s=0.5)
    still = f"il a mesuré {most.words} au plus, et n’a demandé aucun pod de plus."
    return decision or Finding("rien-ne-bouge", still)


def _decision(hpa: Mapping[str, Any], most: Seen) -> Finding | None:
    """Return what the autoscaler has decided, None while it has not."""
    wanted = hpa["status"].get("desiredReplicas", 1)
    if wanted > 1:
        # The measure that made it decide may be gone by now.
        why = "l’autoscaler mesure, il décide, et"
        if most.ratio > 1:
            why = f"à {most.words}, l’autoscaler"
        return Finding(None, f"{why} veut {wanted} pods.")
    limited = condition(hpa, "ScalingLimited").get("reason") == "TooManyReplicas"
    if most.ratio > 1.1 and limited:
        held = f"il mesure {most.words}, mais maxReplicas l’arrête à {wanted}."
        return Finding("plafond", held)
    return None


class Seen(NamedTuple):
    """What an autoscaler measures, what it aims at, and the one divided by the other."""

    measured: str
    target: str
    ratio: float

    @property
    def words(self) -> str:
        """The measure and the target in French."""
        return f"{self.measured} pour une cible de {self.target}"


def _seen(hpa: Mapping[str, Any]) -> Seen | None:
    """Return the highest measure against its target, whichever way the target is written; None where there is none."""
    current = hpa.get("status", {}).get("currentMetrics") or ()
    pairs = zip(hpa["spec"]["metrics"], current, strict=False)
    seen = [_measure(asked, status) for asked, status in pairs]
    return max(filter(None, seen), key=lambda measure: measure.ratio, default=None)


def _measure(asked: Mapping[str, Any], status: Mapping[str, Any]) -> Seen | None:
    field = asked["type"][:1].lower() + asked["type"][1:]
    target = asked.get(field, {}).get("target", {})
    current = (status.get(field) or {}).get("current", {})
    if "averageUtilization" in target.keys() & current.keys():
        measured, wanted = current["averageUtilization"], target["averageUtilization"]
        return Seen(f"{measured} %", f"{wanted} %", measured / wanted)
    if "averageValue" in target.keys() & current.keys():
        measured, wanted = current["averageValue"], target["averageValue"]
        return Seen(measured, wanted, float(parse_quantity(measured) / parse_quantity(wanted)))
    return None
