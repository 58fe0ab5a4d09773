"""Runs the pod, and asks whether its /data is the node's /opt: the same folder has the same number."""

from __future__ import annotations

from k8s_helpers.exercises.controls import Bench, Finding

READY_S = 30.0
NUMBER = ("stat", "-L", "-c", "%d:%i", "/data")
"""Device and inode of what the container sees there; -L, as a link may stand for a volume."""


def check(bench: Bench) -> Finding:
    """Return whether the folder of the node is where it shall be."""
    objects = bench.answer["manifeste"]
    name = objects[0]["metadata"]["name"]
    bench.progress.step("Déploiement de votre pod")
    bench.apply(objects)
    pod = bench.namespace.wait("pod", name, "Ready", min(READY_S, bench.remaining_s))
    bench.progress.step("Un pod témoin sur le même nœud")
    (witness,) = bench.given("temoin.yaml")
    witness["spec"]["nodeName"] = pod["spec"]["nodeName"]
    bench.apply((witness,))
    bench.namespace.wait("pod", "temoin", "Ready", min(READY_S, bench.remaining_s))
    found, expected = (bench.namespace.exec(item, NUMBER) for item in (name, "temoin"))
    if found.returncode:
        return Finding("ailleurs", "le pod tourne, mais son conteneur n’a pas de dossier /data.")
    if found.stdout != expected.stdout:
        return Finding("autre-dossier", "le pod tourne, mais son /data n’est pas le /opt du nœud.")
    return Finding(None, "le /data du conteneur et le /opt du nœud sont un seul et même dossier.")
