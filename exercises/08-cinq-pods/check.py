"""Puts the student's Deployment under the quota and counts the pods that the API lets in."""

from __future__ import annotations

from typing import Any

from k8s_helpers.exercises.controls import Bench, Finding, count, parse_quantity, replicas

WANTED = 5
LEAST = {"cpu": "300m", "memory": "512Mi"}
QUOTA = "my-resource-quota"


def check(bench: Bench) -> Finding:
    """Return how many pods came in, and what kept the others out."""
    objects = bench.answer["manifeste"]
    if len(objects) != 1:
        return Finding("incomplet", "il faut un Deployment, rien d’autre.")
    if (asked := replicas(objects[0])) != WANTED:
        return Finding("replicas", f"votre Deployment demande {asked} pods.")
    bench.apply(bench.given("quota.yaml"))
    bench.wait_counted(QUOTA)
    bench.progress.step("Cinq pods sous le quota")
    bench.apply(objects)
    while True:
        said = _refusal(bench)
        pods = [
            pod for pod in bench.namespace.list("pod") if "deletionTimestamp" not in pod["metadata"]
        ]
        if len(pods) == WANTED:
            return _sizes(pods)
        if said:
            entered = f"{count(len(pods), 'pod')} sur {WANTED}"
            code = "muet" if "must specify" in said else "quota"
            return Finding(code, f"{entered} dans l’espace de noms. L’API dit : {said}")
        bench.pause(0.2)


def _refusal(bench: Bench) -> str:
    """Return the API server's words where a quota kept a pod of the Deployment out."""
    for item in bench.namespace.list("replicaset"):
        for condition in item.get("status", {}).get("conditions", ()):
            said = str(condition.get("message", ""))
            if condition["type"] == "ReplicaFailure" and "quota" in said and "forbidden" in said:
                return said.partition("is forbidden: ")[2]
    return ""


def _sizes(pods: list[dict[str, Any]]) -> Finding:
    for pod in pods:
        for container in pod["spec"]["containers"]:
            asked = container.get("resources", {}).get("requests", {})
            small = [
                name
                for name, least in LEAST.items()
                if parse_quantity(asked.get(name, "0")) < parse_quantity(least)
            ]
            if small:
                text = ", ".join(f"{asked.get(name, 'rien')} de {name}" for name in small)
                return Finding(
                    "trop-petit", f"les cinq pods entrent, mais chacun ne demande que {text}."
                )
    return Finding(None, "les cinq pods entrent, et le quota tient.")
