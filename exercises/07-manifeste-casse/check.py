"""Applies the repaired manifest and knocks at the Service's door."""

from __future__ import annotations

from k8s_helpers.exercises.controls import Bench, Finding, get, only, replicas

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
    address = bench.namespace.service_url(SERVICE, timeout_s=0)
    answer = bench.until(lambda: get(address, "/api/info"), LEARNT_S, every_s=0.3)
    if not answer:
        return Finding("port", f"le Service « {SERVICE} » a des pods, mais ne répond pas.")
    return Finding(None, f"{REPLICAS} pods prêts, et « {answer.pod} » a répondu.")
