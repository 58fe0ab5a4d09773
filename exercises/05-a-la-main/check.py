"""Looks at who answers behind the Service, whether pods are those of the beginning, and at the Service's note."""

from __future__ import annotations

from k8s_helpers.exercises.controls import Bench, Finding, count

SERVICE, KEY, NOTE = "recherche", "exemple.fr/contact", "Zoé, bureau 12"
DEPLOYMENTS = ("recherche-v1", "recherche-v2")
REQUESTS = 24
"""One of two pods answers none of them once in eight million."""


def set_up(bench: Bench) -> None:
    """Start the three pods and the Service that chooses none of them."""
    bench.apply(bench.given("given/1-recherche.yaml"))
    bench.wait_settled()


def symptoms(bench: Bench) -> bool:
    """Return whether nobody is behind the Service."""
    return not bench.behind(SERVICE)


def check(bench: Bench) -> Finding:
    """Return what is wrong first: with the pods, with who answers, with the note."""
    replaced = [name for name in DEPLOYMENTS if _generation(bench, name) != 1]
    if replaced:
        return Finding(
            "remplaces", f"le modèle de « {replaced[0]} » a changé : ses pods sont nouveaux."
        )
    if not bench.chosen(SERVICE):
        return Finding("ferme", "le Service « recherche » n’a aucun pod derrière lui.")
    bench.until(lambda: set(bench.chosen(SERVICE)) == set(bench.behind(SERVICE)), 5.0)
    answers = [one for one in bench.ask(SERVICE, REQUESTS) if one.version]
    versions, pods = {one.version for one in answers}, {one.pod for one in answers}
    if versions != {"v1"}:
        said = " et ".join(sorted(map(str, versions))) or "personne"
        return Finding("trop", f"les clients sont servis par : {said}.")
    if len(pods) < 2:
        return Finding(
            "peu", f"{count(len(pods), 'pod répond', 'pods répondent')}, et il en faut deux."
        )
    notes = bench.namespace.get("service", SERVICE)["metadata"].get("annotations") or {}
    if notes.get(KEY) != NOTE:
        return Finding("note", f"l’annotation {KEY} ne dit pas « {NOTE} ».")
    return Finding(
        None,
        "deux pods de la version 1 répondent, aucun n’a été remplacé, et le Service dit qui prévenir.",
    )


def _generation(bench: Bench, name: str) -> int:
    """Return how many times the pods of a Deployment were made anew, plus one."""
    made = bench.namespace.get("deployment", name)["metadata"]["annotations"]
    return int(made["deployment.kubernetes.io/revision"])
