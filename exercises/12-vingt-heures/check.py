"""Looks at what the student's autoscaler says, sends the evening's load, and waits for another pod."""

from __future__ import annotations

from typing import Any

from k8s_helpers.exercises.controls import Bench, Finding, Traffic, count
from k8s_helpers.labs.autoscaling import complaint, condition

NAME = "boutique"
LEAST, MOST = 1, 5
RATE_PER_S, CPU_MS = 20.0, 16
MEASURED_S, SCALED_S = 60.0, 60.0
"""Longest waits, for a first measure and for another pod: seconds here, a metrics-server's period elsewhere."""


def symptoms(bench: Bench) -> bool:
    """Return whether the shop answers, and nothing would add pods to it."""
    return all(bench.ask(NAME, 2)) and not bench.namespace.list("hpa")


def check(bench: Bench) -> Finding:
    """Return whether pods are added by themselves under load."""
    scalers = bench.namespace.list("hpa")
    if not scalers:
        asked = bench.namespace.get("deployment", NAME)["spec"]["replicas"]
        if asked > LEAST:
            by_hand = (
                f"il n’y a pas d’autoscaler : le Deployment demande {asked} pods, nuit et jour."
            )
            return Finding("a-la-main", by_hand)
        return Finding("intact", "il n’y a pas d’autoscaler dans cet espace de noms.")
    name = scalers[0]["metadata"]["name"]
    spec = scalers[0]["spec"]
    low, high = spec.get("minReplicas", 1), spec["maxReplicas"]
    if (low, high) != (LEAST, MOST):
        return Finding("bornes", f"il garde entre {low} et {count(high, 'pod')}.")
    bench.progress.step("L’autoscaler attend sa première mesure")
    bench.wait_settled()
    if (blind := _blind(bench, name)) is not None:
        return blind
    bench.progress.step(f"Vingt heures : {RATE_PER_S:g} requêtes par seconde")
    address = bench.namespace.service_url(NAME, timeout_s=0).at(f"cpu?ms={CPU_MS}")
    with Traffic(address, rate_per_s=RATE_PER_S, max_duration_s=SCALED_S):
        wanted = bench.until(
            lambda: _wanted(bench, name), SCALED_S, lambda pods: pods > LEAST, every_s=0.5
        )
    if wanted > LEAST:
        return Finding(None, f"la charge arrive, et l’autoscaler veut {count(wanted, 'pod')}.")
    return Finding("rien-ne-bouge", "la charge est là, et l’autoscaler ne demande aucun pod.")


def _wanted(bench: Bench, name: str) -> int:
    wanted: int = bench.namespace.get("hpa", name).get("status", {}).get("desiredReplicas", 0)
    return wanted


def _blind(bench: Bench, name: str) -> Finding | None:
    """Wait for the first measure; return what keeps it from coming."""

    def look() -> tuple[bool, Finding | None]:
        hpa: dict[str, Any] = bench.namespace.get("hpa", name)
        if condition(hpa, "AbleToScale").get("reason") == "FailedGetScale":
            lost = condition(hpa, "AbleToScale").get("message")
            return True, Finding("cible-introuvable", f"l’autoscaler dit : {lost}.")
        reason = complaint(hpa) or ""
        if "missing request" in reason and bench.names_a_pod(reason):
            return True, Finding("aveugle", f"« kubectl get hpa » montre « <unknown> » : {reason}.")
        return condition(hpa, "ScalingActive").get("status") == "True", None

    decided, blind = bench.until(look, MEASURED_S, lambda seen: seen[0], every_s=0.5)
    return blind if decided else Finding("aveugle", f"aucune mesure après {MEASURED_S:g} s.")
