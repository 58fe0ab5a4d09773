"""Counts the ready pods, and asks the Service on the port that was drawn."""

from __future__ import annotations

from k8s_helpers.exercises.controls import Bench, Finding, count

READY_S, ANSWERS_S = 20.0, 10.0


def check(bench: Bench) -> Finding:
    """Return what lacks first."""
    name, wanted, port = (
        bench.values["nom"],
        int(bench.values["replicas"]),
        int(bench.values["port"]),
    )
    services = {item["metadata"]["name"]: item for item in bench.namespace.list("service")}
    deployments = [item["metadata"]["name"] for item in bench.namespace.list("deployment")]
    lacking = [
        kind
        for kind, names in (("Deployment", deployments), ("Service", services))
        if name not in names
    ]
    if lacking:
        return Finding("absent", f"il n’y a pas de {' ni de '.join(lacking)} « {name} ».")
    ready = bench.until(lambda: _ready(bench, name), READY_S, lambda number: number == wanted)
    if ready != wanted:
        return Finding(
            "replicas", f"{count(ready, 'pod prêt', 'pods prêts')}, l’énoncé en demande {wanted}."
        )
    ports = [item["port"] for item in services[name]["spec"].get("ports") or ()]
    if port not in ports:
        return Finding(
            "port", f"le Service écoute sur {', '.join(map(str, ports))}, l’énoncé dit {port}."
        )
    if not bench.until(lambda: all(bench.ask(name)), ANSWERS_S):
        return Finding("muet", f"le Service « {name} » ne répond pas.")
    return Finding(None, f"{wanted} pods prêts, et le Service répond sur le port {port}.")


def _ready(bench: Bench, name: str) -> int:
    deployment = bench.namespace.get("deployment", name)
    status = deployment.get("status", {})
    return (
        int(status.get("readyReplicas", 0))
        if status.get("replicas") == status.get("updatedReplicas")
        else 0
    )
