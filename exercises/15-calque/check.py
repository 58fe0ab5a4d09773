"""A copy made by Kustomize: who answers behind its Service, and whether its neighbour is left alone."""

from __future__ import annotations

from k8s_helpers.exercises.controls import Answer, Bench, Finding, count, ready, rolled_out

NAME, NEIGHBOUR = "vitrine-noel", "vitrine-production"
VERSION, MESSAGE, PODS = "v2", "Joyeux Noël", 2
NEIGHBOUR_VERSION, NEIGHBOUR_PODS = "v1", 3
SETTLED_S, REQUESTS = 15.0, 24
"""Of three pods that are the neighbour's, 24 connections at random miss them all once in a billion times."""


def symptoms(bench: Bench) -> bool:
    """Return whether the production is there, as the statement tells."""
    return len(_ready(bench, NEIGHBOUR)) == NEIGHBOUR_PODS


def check(bench: Bench) -> Finding:
    """Return who answers behind the new Service, then what became of the production."""
    if not any(item["metadata"]["name"] == NAME for item in bench.namespace.list("service")):
        return Finding("rien", f"il n’y a pas de Service {NAME}.")
    bench.until(lambda: _delivered(bench) and _whole(bench), SETTLED_S)
    answers = bench.ask(NAME, REQUESTS)
    good = [answer for answer in answers if answer]
    if not good:
        return Finding("melange", f"le Service {NAME} ne mène à aucun pod qui réponde.")
    if strangers := _pods(good) - _ready(bench, NAME):
        return Finding(
            "melange",
            f"le Service {NAME} mène aussi à {count(len(strangers), 'autre pod', 'autres pods')}.",
        )
    if (versions := {answer.version for answer in good}) != {VERSION}:
        said = ", ".join(sorted(map(str, versions)))
        return Finding("version", f"la copie de Noël répond en version {said}.")
    if (messages := {str(answer.json()["message"]) for answer in good}) != {MESSAGE}:
        return Finding("message", f"la copie de Noël affiche « {', '.join(sorted(messages))} ».")
    if (pods := len(_ready(bench, NAME))) != PODS:
        return Finding("replicas", f"la copie de Noël a {count(pods, 'pod prêt', 'pods prêts')}.")
    return _neighbour(bench)


def _neighbour(bench: Bench) -> Finding:
    versions = {answer.version for answer in bench.ask(NEIGHBOUR, NEIGHBOUR_PODS)}
    pods = len(_ready(bench, NEIGHBOUR))
    if versions != {NEIGHBOUR_VERSION} or pods != NEIGHBOUR_PODS:
        said = count(pods, "pod prêt", "pods prêts")
        return Finding("production", f"la production a {said}, elle en avait {NEIGHBOUR_PODS}.")
    return Finding(None, "la copie de Noël répond seule derrière son Service, à côté de l’autre.")


def _delivered(bench: Bench) -> bool:
    made = bench.namespace.list("deployment")
    return all(rolled_out(item) for item in made if item["metadata"]["name"] == NAME)


def _whole(bench: Bench) -> bool:
    return all(bench.ask(NAME, PODS))


def _pods(answers: list[Answer]) -> set[str]:
    return {str(answer.json()["pod"]) for answer in answers}


def _ready(bench: Bench, deployment: str) -> set[str]:
    """Return the names of the ready pods that a Deployment has made."""
    return {
        pod["metadata"]["name"]
        for pod in bench.namespace.list("pod")
        if pod["metadata"]["name"].rsplit("-", 2)[0] == deployment and ready(pod)
    }
