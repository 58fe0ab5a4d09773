"""Writes a note, deletes the pod, and asks the next one what it knows."""

from __future__ import annotations

import time
from typing import Any

from k8s_helpers.cluster.conditions import ready
from k8s_helpers.exercises import Bench, Finding, replicas

PROGRAM = ("python3", "-S", "/app/main.py")
NOTE = "acheter du pain"
STUCK_S = 10.0
"""From then on, a pod without a node waits for something that does not come: a volume is made within a second."""


def check(bench: Bench) -> Finding:
    """Return whether the next pod has the note."""
    objects = bench.answer["manifeste"]
    wanted = [
        (one["metadata"]["name"], replicas(one)) for one in objects if one["kind"] == "Deployment"
    ]
    if wanted != [("base", 1)]:
        return Finding("incomplet", "il faut un Deployment « base » d’un réplica.")
    bench.progress.step("Déploiement de votre manifeste")
    bench.apply(objects)
    first = _ready_pod(bench, "")
    if isinstance(first, Finding):
        return first
    bench.progress.step("Une note, puis la mort du pod")
    bench.namespace.exec(first, [*PROGRAM, "note", NOTE])
    bench.namespace.delete_object("pod", first, timeout_s=bench.remaining_s)
    second = _ready_pod(bench, first)
    if isinstance(second, Finding):
        return second
    if NOTE in bench.namespace.exec(second, [*PROGRAM, "notes"]).stdout:
        return Finding(None, f"{first} a écrit la note, il est mort, et {second} l’a relue.")
    told = f"{first} a écrit une note, il est mort, et {second} n’en sait rien"
    if any("ephemeral" in one for one in bench.namespace.get("pod", second)["spec"]["volumes"]):
        return Finding("perdue", f"{told} ; un volume « ephemeral » part avec son pod.")
    if any(
        one["status"].get("phase") == "Bound"
        for one in bench.namespace.list("persistentvolumeclaim")
    ):
        return Finding("ailleurs", f"{told} ; un volume a pourtant été fait pour votre demande.")
    return Finding("perdue", f"{told}.")


def _ready_pod(bench: Bench, besides: str) -> str | Finding:
    """Return the pod that is ready, or why there will be none."""
    began_s = time.monotonic()
    while bench.remaining_s:
        pods = [one for one in bench.namespace.list("pod") if one["metadata"]["name"] != besides]
        for pod in pods:
            if ready(pod):
                return str(pod["metadata"]["name"])
            if time.monotonic() - began_s > STUCK_S and (said := _stuck(pod)):
                return Finding("attend", f"le pod ne démarre pas : {said}")
        bench.pause(0.2)
    raise AssertionError("remaining_s raises where no time is left")


def _stuck(pod: dict[str, Any]) -> str:
    """Return what the scheduler says of a pod that it can place nowhere."""
    for one in pod["status"].get("conditions", ()):
        if one["type"] == "PodScheduled" and one["status"] == "False":
            return str(one.get("message", ""))
    return ""
