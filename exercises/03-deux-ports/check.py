"""Two programs in one pod: each must answer on its own port of the Service, and both from the same pod."""

from __future__ import annotations

from typing import Any

from k8s_helpers.exercises.controls import (
    Bench,
    Finding,
    container_statuses,
    containers,
    get,
)

NAME = "journal"
SAID = {80: "Le journal du jour", 81: "La salle de rédaction"}
CONTAINERS = ("site", "redaction")
SETTLED_S, CRASHES = 15.0, 1


def symptoms(bench: Bench) -> bool:
    """Return whether one of the two programs dies again and again, while the other one answers."""
    return _crashing(bench) and bool(_answers(bench)[80])


def check(bench: Bench) -> Finding:
    """Return whether the pod has both programs, and which of the two answers."""
    names = {item["name"] for item in containers(bench.namespace.get("deployment", NAME))}
    if missing := [name for name in CONTAINERS if name not in names]:
        return _lacking(bench, missing)
    bench.until(lambda: _whole(_answers(bench)) or _crashing(bench), SETTLED_S)
    answers = _answers(bench)
    if _whole(answers):
        return Finding(None, "les deux programmes d’un même pod répondent, chacun sur son port.")
    if _crashing(bench):
        return Finding("pris", "un des deux conteneurs ne démarre pas : son port est déjà pris.")
    mute = [port for port, said in SAID.items() if answers[port].get("message") != said]
    return Finding("muet", f"sur le port {mute[0]} du Service, « {SAID[mute[0]]} » ne répond pas.")


def _lacking(bench: Bench, missing: list[str]) -> Finding:
    """Return whether a container that the Deployment lacks is in a pod of its own."""
    pods = [
        pod["spec"]["containers"]
        for pod in bench.namespace.list("pod")
        if "deletionTimestamp" not in pod["metadata"]
    ]
    alone = {item["name"] for own in pods if len(own) < len(CONTAINERS) for item in own}
    if alone.intersection(missing):
        return Finding("separes", f"le conteneur {missing[0]} est dans un autre pod.")
    return Finding("manque", f"le Deployment {NAME} n’a plus le conteneur {missing[0]}.")


def _answers(bench: Bench) -> dict[int, dict[str, Any]]:
    """Return what each port of the Service answers, {} where nobody does."""
    found: dict[int, dict[str, Any]] = {}
    for port in SAID:
        address = bench.namespace.service_url(NAME, port, timeout_s=0)
        answer = get(address, "/api/info", timeout_s=2.0)
        found[port] = dict(answer.json()) if answer else {}
    return found


def _whole(answers: dict[int, dict[str, Any]]) -> bool:
    return all(answers[port].get("message") == said for port, said in SAID.items())


def _crashing(bench: Bench) -> bool:
    """Return whether a container of the newest pods has died."""
    pods = bench.namespace.list("pod", f"app={NAME}")
    newest = [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]
    return any(
        status.get("restartCount", 0) >= CRASHES or "terminated" in status.get("state", {})
        for pod in newest
        for status in container_statuses(pod)
    )
