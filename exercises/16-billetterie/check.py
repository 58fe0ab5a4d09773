"""Healthy pods that no Service leads to: the labels of the ones are not what the other looks for."""

from __future__ import annotations

from k8s_helpers.exercises.controls import Bench, Finding, count, ready, rolled_out

NAME, VERSION = "billetterie", "v2"
REQUESTS = 12


def symptoms(bench: Bench) -> bool:
    """Return whether all pods are ready and the site of the statistics answers, but not this one."""
    pods = bench.namespace.list("pod")
    return (
        len(pods) == 3
        and all(map(ready, pods))
        and all(bench.ask("statistiques"))
        and not any(bench.ask(NAME))
    )


def check(bench: Bench) -> Finding:
    """Return who answers the clients, and whether that will be so with the next pods."""
    deployment = bench.until(
        lambda: bench.namespace.get("deployment", NAME), bench.remaining_s / 3, rolled_out
    )
    if not bench.wait_behind(NAME):
        return Finding("sans-pod", "les clients de la billetterie n’ont aucune réponse.")
    answers = bench.ask(NAME, REQUESTS)
    good = [answer for answer in answers if answer]
    if strangers := [answer for answer in good if answer.version != VERSION]:
        text = count(len(strangers), "réponse sur", "réponses sur")
        return Finding(
            "melange", f"{text} {REQUESTS} viennent d’un autre programme que la billetterie."
        )
    if len(good) < REQUESTS:
        return Finding(
            "muet",
            f"le Service a des pods, et {len(good)} requêtes sur {REQUESTS} ont une réponse.",
        )
    selector = bench.namespace.get("service", NAME)["spec"].get("selector") or {}
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    if not selector.items() <= labels.items():
        return Finding(
            "ephemere",
            "le site répond, par des pods que le Deployment ne saurait pas refaire ainsi.",
        )
    return Finding(
        None, f"{count(REQUESTS, 'requête', 'requêtes')}, autant de réponses de la billetterie."
    )
