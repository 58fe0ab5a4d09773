"""Runs version 1, applies the answer in version 2, and looks at who was replaced."""

from __future__ import annotations

import time

from k8s_helpers.exercises.controls import Bench, Finding, containers, ready, replicas

REPLICAS, LAST = 3, "base-2"
CALM_S = 3.0
"""An update is over when nothing has moved for that long."""


def check(bench: Bench) -> Finding:
    """Return whether the last pod alone was replaced."""
    objects = bench.answer["manifeste"]
    sets = [item for item in objects if item["kind"] == "StatefulSet"]
    versions = [container["image"] for item in sets for container in containers(item)]
    named = [(item["metadata"]["name"], replicas(item)) for item in sets]
    if named != [("base", REPLICAS)] or versions != ["carnet:v2"]:
        return Finding(
            "incomplet", f"il faut un StatefulSet « base » de {REPLICAS} réplicas, en carnet:v2."
        )
    bench.progress.step("Déploiement de votre manifeste, version 1")
    bench.apply(objects, version="v1")
    bench.wait_settled()
    before = _pods(bench)
    bench.progress.step("Mise à jour vers la version 2")
    bench.apply(objects, version="v2")
    _wait_calm(bench)
    after = _pods(bench)
    return judge(bench, [name for name in after if after[name] != before.get(name)])


def judge(bench: Bench, replaced: list[str]) -> Finding:
    """Return what is wrong with who was replaced."""
    strategy = bench.namespace.get("statefulset", "base")["spec"]["updateStrategy"]["type"]
    text = f"remplacés : {', '.join(replaced) or 'aucun pod'}"
    if replaced == [LAST]:
        return Finding(None, f"{text}. Les autres n’ont pas bougé.")
    if not replaced:
        return Finding("a-la-main" if strategy == "OnDelete" else "aucun", f"{text}.")
    return Finding("tous" if len(replaced) == REPLICAS else "trop", f"{text}.")


def _pods(bench: Bench) -> dict[str, str]:
    found = bench.namespace.list("pod")
    return {item["metadata"]["name"]: item["metadata"]["uid"] for item in found}


def _wait_calm(bench: Bench) -> None:
    """Wait until the controller has seen the change, all pods are ready and nothing has moved for a while."""
    last: object = None
    since_s = time.monotonic()
    while time.monotonic() - since_s < CALM_S:
        item = bench.namespace.get("statefulset", "base")
        pods = bench.namespace.list("pod")
        seen = item["status"].get("observedGeneration") == item["metadata"]["generation"]
        settled = seen and len(pods) == REPLICAS and all(map(ready, pods))
        now = (settled, sorted(pod["metadata"]["uid"] for pod in pods))
        if now != last or not settled:
            last, since_s = now, time.monotonic()
        bench.pause(0.2)
