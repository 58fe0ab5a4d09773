"""Writes a note, deletes the pod, and asks the next one what it knows."""

from __future__ import annotations

import time

from k8s_helpers.exercises.controls import Bench, Finding, ready, replicas, unschedulable

PROGRAM = ("python3", "-S", "/app/main.py")
NOTE = "acheter du pain"
STUCK_S = 10.0
"""From then on, a pod without a node waits for something that does not come: a volume is made within a second."""


def check(bench: Bench) -> Finding:
    """Return whether the next pod has the note."""
    objects = bench.answer["manifeste"]
    wanted = [
        (item["metadata"]["name"], replicas(item))
        for item in objects
        if item["kind"] == "Deployment"
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
        return Finding(
            None, f"{first} a écrit la note, puis a été supprimé, et {second} l’a relue."
        )
    text = f"{first} a écrit une note, puis a été supprimé, et {second} ne la trouve pas"
    if any("ephemeral" in mount for mount in bench.namespace.get("pod", second)["spec"]["volumes"]):
        return Finding("perdue", f"{text} ; un volume « ephemeral » part avec son pod.")
    if any(
        claim["status"].get("phase") == "Bound"
        for claim in bench.namespace.list("persistentvolumeclaim")
    ):
        return Finding("ailleurs", f"{text} ; un volume a pourtant été fait pour votre demande.")
    return Finding("perdue", f"{text}.")


def _ready_pod(bench: Bench, besides: str) -> str | Finding:
    """Return the pod that is ready, or why there will be none."""
    began_s = time.monotonic()

    def decided() -> str | Finding | None:
        pods = [item for item in bench.namespace.list("pod") if item["metadata"]["name"] != besides]
        for pod in pods:
            if ready(pod):
                return str(pod["metadata"]["name"])
            if time.monotonic() - began_s > STUCK_S and (said := unschedulable(pod)):
                return Finding("attend", f"le pod ne démarre pas : {said}")
        return None

    found = bench.until(decided)
    assert found is not None
    return found
