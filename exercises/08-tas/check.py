"""Runs the student's Java pod until it holds all that it needs: does it live, and what does its heap promise?"""

from __future__ import annotations

import contextlib
import json
import re
from typing import Any

from k8s_helpers.exercises.controls import (
    Bench,
    Finding,
    K8sHelpersError,
    container_end,
    container_runs,
    number,
    parse_quantity,
)

MIB = 1 << 20
LIMIT = "512Mi"
MOST_HEAP_BYTES = 0.8 * 512 * MIB
ENV = {"MAX_MB": "256", "LEAK_MB_PER_S": "200"}
AFTER_S = 1.5
_REFUSED = re.compile(r"Unrecognized|Invalid .*(?:size|value)|Improperly specified|must be")
"""How a JVM names an option that it does not understand, before it gives up with code 1."""


def check(bench: Bench) -> Finding:
    """Return whether the program lives once it holds what it needs."""
    pods = bench.answer["manifeste"]
    if len(pods) != 1:
        return Finding("incomplet", "il faut un seul Pod.")
    name = pods[0]["metadata"]["name"]
    bench.progress.step("Démarrage du programme Java")
    bench.apply(pods, env=ENV)
    container = bench.namespace.get("pod", name)["spec"]["containers"][0]
    limit = container.get("resources", {}).get("limits", {}).get("memory")
    if limit is None or parse_quantity(limit) != parse_quantity(LIMIT):
        return Finding(
            "limite", f"la limite de mémoire est {limit or 'absente'} ; elle devait rester {LIMIT}."
        )
    lines: list[dict[str, Any]] = []
    while not any(line.get("event") == "full" for line in lines):
        bench.pause(0.3)
        pod = bench.namespace.get("pod", name)
        if death := _death(bench, pod):
            return death
        if container_runs(pod):
            lines = _lines(bench.namespace.logs(name, tail=200))
    bench.pause(AFTER_S)
    if death := _death(bench, bench.namespace.get("pod", name)):
        return death
    return _promise(max(int(line.get("heap_max_bytes", 0)) for line in lines))


def _promise(heap_bytes: int) -> Finding:
    text = f"le programme vit, avec 256 Mio tenus ; la JVM se promet un tas de {number(round(heap_bytes / MIB))} Mio"
    if heap_bytes > MOST_HEAP_BYTES:
        return Finding("promesse", f"{text}, dans un conteneur de 512 Mio.")
    return Finding(None, f"{text}, et il en reste pour elle-même.")


def _death(bench: Bench, pod: dict[str, Any]) -> Finding | None:
    ended = container_end(pod)
    if ended is None:
        return None
    text = f"le conteneur est mort : {ended.get('reason')}, code {ended.get('exitCode')}."
    if ended.get("exitCode") == 137:
        return Finding("tue", text)
    if refused := _refused_option(bench, pod["metadata"]["name"]):
        return Finding("option", f"{text} Son journal dit : {refused}")
    return Finding("tas-plein", text)


def _refused_option(bench: Bench, name: str) -> str:
    """Return the words of a JVM that understands no such option; "" where it started."""
    said: list[str] = []
    for previous in (False, True):
        with contextlib.suppress(K8sHelpersError):  # the container is between two lives
            said += bench.namespace.logs(name, previous=previous, tail=200).splitlines()
    return next((line for line in said if _REFUSED.search(line)), "")


def _lines(log: str) -> list[dict[str, Any]]:
    found = []
    for line in log.splitlines():
        try:
            plain = json.loads(line)
        except ValueError:
            continue
        if isinstance(plain, dict):
            found.append(plain)
    return found
