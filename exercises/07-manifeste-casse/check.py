"""Applies the repaired manifest and knocks at the Service's door."""

from __future__ import annotations

import time

from k8s_helpers.exercises import Bench, Finding, only, replicas
from k8s_helpers.experiments.http import get

SERVICE, REPLICAS = "vitrine", 3
LEARNT_S = 5.0
"""What a Service gets to learn of pods that are ready already."""


def check(bench: Bench) -> Finding:
    """Return whether three pods answer behind the Service."""
    objects = bench.answer["manifeste"]
    deployed = only(objects, "Deployment")
    named = any(
        item["kind"] == "Service" and item["metadata"]["name"] == SERVICE for item in objects
    )
    if deployed is None or replicas(deployed) != REPLICAS or not named:
        return Finding(
            "incomplet", f"il faut un Deployment de {REPLICAS} pods et le Service « {SERVICE} »."
        )
    bench.progress.step("Déploiement de votre manifeste")
    bench.apply(objects)
    bench.wait_settled()
    bench.progress.step("Qui est derrière le Service ?")
    if not bench.wait_behind(SERVICE):
        return Finding("personne", f"le Service « {SERVICE} » n’a aucun pod derrière lui.")
    answer = get(bench.namespace.service_url(SERVICE, timeout_s=0), "/api/info")
    until_s = time.monotonic() + LEARNT_S
    while answer.status != 200 and time.monotonic() < until_s:
        bench.pause(0.3)
        answer = get(bench.namespace.service_url(SERVICE, timeout_s=0), "/api/info")
    if answer.status != 200:
        return Finding("port", f"le Service « {SERVICE} » a des pods, mais ne répond pas.")
    return Finding(None, f"{REPLICAS} pods prêts, et « {answer.pod} » a répondu.")
