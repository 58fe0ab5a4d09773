"""Writes a note, replaces the pod, and asks the next one; before that, looks at why there is no pod yet."""

from __future__ import annotations

from k8s_helpers.exercises.controls import Bench, Finding, ready, unschedulable

PROGRAM = ("python3", "-S", "/app/main.py")
NOTE = "réunion à 14 h"
READY_WITHIN_S = 15.0
CLASS, LABEL = "rapide", "disque"


def symptoms(bench: Bench) -> bool:
    """Return whether the pod waits for a node."""
    pods = bench.namespace.list("pod", "app=carnet")
    return any(pod["status"]["phase"] == "Pending" and unschedulable(pod) for pod in pods)


def check(bench: Bench) -> Finding:
    """Return whether the notebook runs and keeps its notes."""
    if touched := _touched(bench):
        return Finding("chez-les-autres", f"{touched} : cela n’est pas dans votre espace de noms.")
    bench.progress.step("Le carnet démarre-t-il ?")
    first = bench.until(lambda: _ready_pod(bench), READY_WITHIN_S)
    if first is None:
        return _why(bench)
    bench.progress.step("Une note, puis la mort du pod")
    bench.namespace.exec(first, [*PROGRAM, "note", NOTE])
    bench.namespace.delete_object("pod", first, timeout_s=bench.remaining_s)
    second = bench.until(lambda: _ready_pod(bench), READY_WITHIN_S)
    if second is None:
        return _why(bench)
    if NOTE not in bench.namespace.exec(second, [*PROGRAM, "notes"]).stdout:
        return Finding(
            "perdues", f"{first} a écrit une note, il a été remplacé, et {second} n’en sait rien."
        )
    return Finding(None, f"{first} a écrit une note, il a été remplacé, et {second} l’a relue.")


def _ready_pod(bench: Bench) -> str | None:
    pods = bench.namespace.list("pod", "app=carnet")
    names = [
        pod["metadata"]["name"]
        for pod in pods
        if ready(pod) and "deletionTimestamp" not in pod["metadata"]
    ]
    return names[0] if names else None


def _why(bench: Bench) -> Finding:
    """Return why no pod is ready: what its claim or the scheduler says, the node's label first."""
    spec = bench.namespace.get("deployment", "carnet")["spec"]["template"]["spec"]
    pods = bench.namespace.list("pod", "app=carnet")
    words = next(filter(None, map(unschedulable, pods)), "")
    if words and spec.get("nodeSelector"):
        return Finding("noeud", f"aucun nœud ne prend le pod. L’ordonnanceur dit : « {words} ».")
    claims = {
        claim["metadata"]["name"]: claim["status"].get("phase")
        for claim in bench.namespace.list("persistentvolumeclaim")
    }
    if words:
        asked = ", ".join(f"{name} {phase}" for name, phase in claims.items()) or "aucune"
        return Finding(
            "disque",
            f"le pod attend un disque (demandes : {asked}). L’ordonnanceur dit : « {words} ».",
        )
    return Finding("arrete", "le pod a un nœud, et ne devient pas prêt.")


def _touched(bench: Bench) -> str:
    """Return what was changed outside of the namespace; empty where nothing was."""
    classes = bench.cluster.api.request("GET", "/apis/storage.k8s.io/v1/storageclasses")["items"]
    if any(item["metadata"]["name"] == CLASS for item in classes):
        return f"il y a maintenant une classe de stockage « {CLASS} »"
    nodes = bench.cluster.api.request("GET", "/api/v1/nodes")["items"]
    if any(LABEL in (node["metadata"].get("labels") or {}) for node in nodes):
        return f"un nœud porte maintenant l’étiquette « {LABEL} »"
    return ""
