"""Asks for the student's pod under the strictest level of Pod Security, then sees whether it runs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from k8s_helpers.exercises.controls import (
    ApiStatusError,
    Bench,
    Finding,
    admission,
    container_end,
    container_runs,
)

LACKS = {
    "privileged": "escalade",
    "runAsNonRoot": "root",
    "runAsUser=0": "root",
    "capabilities": "capacites",
    "seccompProfile": "seccomp",
    "allowPrivilegeEscalation": "escalade",
}
"""What the refusal names, and the finding for it; the first one is told."""


def check(bench: Bench) -> Finding:
    """Return what admission still lacks, or whether the pod runs."""
    pods = bench.answer["manifeste"]
    if len(pods) != 1:
        return Finding("incomplet", "il faut un seul Pod.")
    admission.set_levels(bench.cluster.api, bench.namespace.name, enforce="restricted")
    bench.progress.step("Demande de votre pod au niveau restricted")
    try:
        bench.apply(pods)
    except ApiStatusError as error:
        said = str(error.status.get("message", ""))
        if "PodSecurity" not in said:
            raise
        return _lacking(said.partition("PodSecurity ")[2])
    pod = bench.namespace.get("pod", pods[0]["metadata"]["name"])
    if not all(_has_number(pod, container) for container in pod["spec"]["containers"]):
        return Finding(
            "numero", "l’API admet le pod, mais rien ne dit quel utilisateur lancera le programme."
        )
    pod = bench.namespace.wait(
        "pod",
        pod["metadata"]["name"],
        lambda item: container_runs(item) or container_end(item) is not None,
        bench.remaining_s,
    )
    if ended := container_end(pod):
        return Finding("bloque", f"admis, mais le conteneur s’arrête ({ended.get('reason')}).")
    return Finding(None, "admis au niveau restricted, et la vitrine tourne.")


def _lacking(said: str) -> Finding:
    lacking = [name for name in LACKS if name in said]
    codes = list(dict.fromkeys(LACKS[name] for name in lacking))
    code = "tout" if len(codes) > 2 or not codes else codes[0]
    return Finding(code, f"l’API refuse ce pod : {said}")


def _has_number(pod: dict[str, Any], container: dict[str, Any]) -> bool:
    """Whether a user other than the image's own is named; the vitrine's image names none, which means root."""
    return any(isinstance(item.get("runAsUser"), int) for item in _contexts(pod, container))


def _contexts(pod: dict[str, Any], container: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield pod["spec"].get("securityContext") or {}
    yield container.get("securityContext") or {}
