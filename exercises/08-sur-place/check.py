"""Asks the pod for work, then whether it is still the one that was given, in its first life."""

from __future__ import annotations

from typing import Any

from k8s_helpers.exercises.controls import (
    Bench,
    Finding,
    container_statuses,
    ready,
    seconds,
)

NAME, WORK_MS, LONGEST_S, TRIES = "calcul", 100, 0.7, 6
"""With 100m such a page takes at least 0.91 s, with 500m at most 0.2 s, and what a busy machine adds to some."""
GIVEN_MEMORY = "128Mi"
APPLIED_S = 6.0
GIVEN_BY = "Apply"
"""How what is given was written; what kubectl makes is written by "Update"."""


def symptoms(bench: Bench) -> bool:
    """Return whether the pod is ready and slow."""
    return ready(bench.namespace.get("pod", NAME)) and _page_s(bench, 1) > LONGEST_S


def check(bench: Bench) -> Finding:
    """Return how long a page takes, and whether the program that answers has lived all along."""
    bench.until(lambda: not _pending(bench.namespace.get("pod", NAME)), APPLIED_S)
    pod = bench.namespace.get("pod", NAME)
    if not _is_given(pod):
        return Finding("remplace", "ce pod a été créé après le début de l’exercice.")
    if restarts := sum(status["restartCount"] for status in container_statuses(pod)):
        return Finding("redemarre", f"son conteneur a redémarré ({restarts} fois).")
    if reason := _pending(pod):
        return Finding("attend", f"le nœud n’a pas appliqué la nouvelle taille : {reason}")
    found_s = _page_s(bench, TRIES)
    if found_s <= LONGEST_S:
        return Finding(
            None,
            f"le même pod, sans redémarrage, rend la page en {seconds(found_s)}.",
        )
    (container,) = pod["spec"]["containers"]
    said = f"{WORK_MS} ms de calcul reviennent en {seconds(found_s)}"
    if container["resources"]["limits"].get("memory") != GIVEN_MEMORY:
        return Finding("memoire", f"{said} ; seule la mémoire a changé.")
    cpu = container["resources"]["limits"].get("cpu", "aucune")
    return Finding("lent", f"{said} ; sa limite de processeur est {cpu}.")


def _page_s(bench: Bench, tries: int) -> float:
    """Return the time of the quickest page, or of the first that is quick enough: a limit delays all of them."""
    path = f"/cpu?ms={WORK_MS}"
    return bench.quickest_s(lambda: all(bench.ask(NAME, path=path)), LONGEST_S, tries)


def _is_given(pod: dict[str, Any]) -> bool:
    """Return whether the pod is the exercise's: another one of its name was written by somebody else."""
    entries = pod["metadata"].get("managedFields", ())
    return any(entry.get("operation") == GIVEN_BY for entry in entries)


def _pending(pod: dict[str, Any]) -> str:
    """Return why a new size is not there yet; "" where it is, or none was asked for."""
    for condition in pod["status"].get("conditions", ()):
        if condition["type"] in ("PodResizePending", "PodResizeInProgress"):
            return str(condition.get("message") or condition.get("reason") or condition["type"])
    return ""
