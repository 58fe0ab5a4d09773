"""Writes a note in each pod, scales down to none and up again, and reads what is left."""

from __future__ import annotations

from typing import Any

from k8s_helpers.exercises.controls import Bench, Finding, count, replicas

PROGRAM = ("python3", "-S", "/app/main.py")
REPLICAS = 2


def check(bench: Bench) -> Finding:
    """Return whether each pod found its own notes again."""
    objects = bench.answer["manifeste"]
    sets = [item for item in objects if item["kind"] == "StatefulSet"]
    if [(item["metadata"]["name"], replicas(item)) for item in sets] != [("base", REPLICAS)]:
        return Finding("incomplet", f"il faut un StatefulSet « base » de {REPLICAS} réplicas.")
    bench.progress.step("Déploiement de votre manifeste")
    bench.apply(objects)
    bench.wait_settled()
    bench.progress.step("Une note dans chaque pod")
    pods = [f"base-{number}" for number in range(REPLICAS)]
    for pod in pods:
        bench.namespace.exec(pod, [*PROGRAM, "note", f"écrite dans {pod}"])
    bench.progress.step("Le soir : zéro pod")
    bench.namespace.scale("statefulset", "base", 0)
    bench.wait_settled()
    bench.until(
        lambda: not bench.namespace.list("pod") and not any(map(_condemned, _claims(bench)))
    )
    kept = len(_claims(bench))
    bench.progress.step("Le matin : deux pods")
    bench.namespace.scale("statefulset", "base", REPLICAS)
    bench.wait_settled()
    return _judge(bench, {pod: _notes(bench, pod) for pod in pods}, kept)


def _claims(bench: Bench) -> list[dict[str, Any]]:
    return bench.namespace.list("persistentvolumeclaim")


def _condemned(claim: dict[str, Any]) -> bool:
    """Whether a claim goes with its pod (whenScaled: Delete): a pod made before it is gone would wait for it forever.

    Source: https://github.com/kubernetes/kubernetes/blob/master/pkg/controller/statefulset/stateful_pod_control.go
    """
    metadata = claim["metadata"]
    owners = metadata.get("ownerReferences", ())
    return "deletionTimestamp" in metadata or any(owner["kind"] == "Pod" for owner in owners)


def _notes(bench: Bench, pod: str) -> list[str]:
    return bench.namespace.exec(pod, [*PROGRAM, "notes"]).stdout.splitlines()


def _judge(bench: Bench, notes: dict[str, list[str]], kept: int) -> Finding:
    for pod, found in notes.items():
        if others := [note for note in found if not note.endswith(pod)]:
            return Finding("partage", f"{pod} a lu une note qui n’est pas à lui : « {others[0]} ».")
    lost = [pod for pod, found in notes.items() if not found]
    if not lost:
        return Finding(None, f"les {REPLICAS} pods sont revenus, chacun avec ses notes.")
    text = f"après la nuit, plus aucune note dans {' et '.join(lost)}"
    if kept:
        claims = count(kept, "demande de volume a survécu", "demandes de volume ont survécu")
        return Finding("ailleurs", f"{text} ; pourtant {claims}.")
    if _claims(bench):
        return Finding(
            "supprimees",
            f"{text} ; les demandes de volume ont été effacées le soir, et refaites le matin.",
        )
    return Finding("perdues", f"{text} ; et aucune demande de volume n’a été faite.")
