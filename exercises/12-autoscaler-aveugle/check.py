"""Loads the Deployment and looks at what its autoscaler says, then at whether it makes another pod."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping
from typing import Any, NamedTuple

from k8s_helpers.embedded.node.quantities import parse
from k8s_helpers.exercises import Bench, Finding
from k8s_helpers.experiments import hpa_status
from k8s_helpers.load import Traffic

NAME = "vitrine"
RATE_PER_S, CPU_MS = 20.0, 16
MEASURED_S, SCALED_S = 60.0, 60.0
"""Longest waits, for a first measure and for another pod: seconds here, a metrics-server's period elsewhere."""


def check(bench: Bench) -> Finding:
    """Return whether the autoscaler works."""
    objects = bench.answer["manifeste"]
    found = {one["kind"]: one["metadata"].get("name") for one in objects}
    if found != {"Deployment": NAME, "HorizontalPodAutoscaler": NAME}:
        return Finding("incomplet", f"votre manifeste contient {', '.join(found) or 'rien'}.")
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
    address = dataclasses.replace(plain, url=f"{plain.url.rstrip('/')}/cpu?ms={CPU_MS}")
    with Traffic(address, rate_per_s=RATE_PER_S, max_duration_s=SCALED_S):
        return _scaled(bench)


def _first_measure(bench: Bench) -> Finding | None:
    """Wait for the first measure; return what keeps it from coming."""
    end_s = time.monotonic() + MEASURED_S
    said = ""
    while time.monotonic() < end_s:
        hpa = bench.namespace.get("hpa", NAME)
        if _seen(hpa) is not None:
            return None
        said = hpa_status.complaint(hpa) or said
        if "missing request for cpu" in said:
            return Finding("sans-demande", f"« kubectl get hpa » montre « <unknown> » : {said}.")
        if (lost := _condition(hpa, "AbleToScale")).get("status") == "False":
            return Finding("cible-introuvable", f"{lost.get('reason')} : {lost.get('message')}.")
        bench.pause(0.5)
    return Finding(
        "sans-demande", f"pas de mesure après {MEASURED_S:g} s ({said or 'sans raison'})."
    )


def _scaled(bench: Bench) -> Finding:
    end_s = time.monotonic() + SCALED_S
    most = Seen("rien", "–", 0.0)
    while time.monotonic() < end_s:
        hpa = bench.namespace.get("hpa", NAME)
        if (now := _seen(hpa)) is not None and now.ratio >= most.ratio:
            most = now
        wanted = hpa["status"].get("desiredReplicas", 1)
        told = f"{most.measured} pour une cible de {most.target}"
        if wanted > 1:
            # The measure that made it decide may be gone by now.
            why = (
                f"à {told}, l’autoscaler"
                if most.ratio > 1
                else "l’autoscaler mesure, il décide, et"
            )
            return Finding(None, f"{why} veut {wanted} pods.")
        limited = _condition(hpa, "ScalingLimited").get("reason") == "TooManyReplicas"
        if most.ratio > 1.1 and limited:
            return Finding("plafond", f"il mesure {told}, mais maxReplicas l’arrête à {wanted}.")
        bench.pause(0.5)
    return Finding(
        "rien-ne-bouge", f"il a mesuré {told} au plus, et n’a demandé aucun pod de plus."
    )


class Seen(NamedTuple):
    """What an autoscaler measures, what it aims at, and the one divided by the other."""

    measured: str
    target: str
    ratio: float


def _seen(hpa: Mapping[str, Any]) -> Seen | None:
    """Return the highest measure against its target, whichever way the target is written; None where there is none."""
    current = hpa.get("status", {}).get("currentMetrics") or ()
    found = [
        _one(asked, told) for asked, told in zip(hpa["spec"]["metrics"], current, strict=False)
    ]
    return max((one for one in found if one), key=lambda one: one.ratio, default=None)


def _one(asked: Mapping[str, Any], told: Mapping[str, Any]) -> Seen | None:
    field = asked["type"][:1].lower() + asked["type"][1:]
    target = asked.get(field, {}).get("target", {})
    current = (told.get(field) or {}).get("current", {})
    if "averageUtilization" in target.keys() & current.keys():
        measured, wanted = current["averageUtilization"], target["averageUtilization"]
        return Seen(f"{measured} %", f"{wanted} %", measured / wanted)
    if "averageValue" in target.keys() & current.keys():
        measured, wanted = current["averageValue"], target["averageValue"]
        return Seen(measured, wanted, float(parse(measured) / parse(wanted)))
    return None


def _condition(hpa: dict[str, Any], kind: str) -> dict[str, Any]:
    conditions = hpa.get("status", {}).get("conditions") or ()
    return next((dict(one) for one in conditions if one["type"] == kind), {})
