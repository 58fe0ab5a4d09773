"""Counts the pods, and looks for the refusal in what the Deployment says of itself."""

from __future__ import annotations

from k8s_helpers.exercises.controls import Bench, Finding, count

SETTLED_S = 15.0


def check(bench: Bench) -> Finding:
    """Return what is not as the statement says first."""
    name, most, asked = (
        bench.values["nom"],
        int(bench.values["pods"]),
        int(bench.values["demandes"]),
    )
    deployments = {item["metadata"]["name"]: item for item in bench.namespace.list("deployment")}
    if name not in deployments or not bench.namespace.list("quota"):
        return Finding("absent", f"il manque le Deployment « {name} » ou le ResourceQuota.")
    wanted = deployments[name]["spec"].get("replicas")
    if wanted != asked:
        return Finding("demande", f"« {name} » demande {wanted} réplicas, l’énoncé {asked}.")
    running, refused = bench.until(
        lambda: _state(bench, name), SETTLED_S, lambda state: state == (most, True)
    )
    if (running, refused) != (most, True):
        return Finding("borne", f"{count(running, 'pod prêt', 'pods prêts')}, l’énoncé dit {most}.")
    return Finding(None, f"{asked} pods demandés, {most} admis, et le quota dit pourquoi.")


def _state(bench: Bench, name: str) -> tuple[int, bool]:
    status = bench.namespace.get("deployment", name).get("status", {})
    refused = any(
        item["type"] == "ReplicaFailure" and "exceeded quota" in item.get("message", "")
        for item in status.get("conditions") or ()
    )
    return int(status.get("readyReplicas", 0)), refused
