"""Sends requests through the Gateway and counts who answers them."""

from __future__ import annotations

from collections import Counter

from k8s_helpers.exercises.controls import Bench, Finding, get

HOST = "magasin.example.com"
REQUESTS = 40
"""Controllers keep weights exactly, or nearly so: 36 and 4 of them."""
WANTED = range(2, 8)
"""Answers of version 2 that count as one in ten."""
LONGEST_S = 8.0
GIVEN = {"gateway": ["entree"], "service": ["boutique-v1", "boutique-v2"]}


def set_up(bench: Bench) -> None:
    """Add Gateway API to the cluster, then the two versions and the broken route."""
    bench.cluster.install_gateway_api(bench.progress)
    for name in ("1-boutiques.yaml", "2-route.yaml"):
        bench.apply(bench.given(f"given/{name}"))
    bench.wait_settled()
    bench.namespace.wait("gateway", "entree", "Programmed", bench.remaining_s)


def symptoms(bench: Bench) -> bool:
    """Return whether nobody gets to the shop."""
    return _once(bench) == "404"


def check(bench: Bench) -> Finding:
    """Return how the requests are shared out."""
    for kind, names in GIVEN.items():
        there = {one["metadata"]["name"] for one in bench.namespace.list(kind)}
        if there != set(names):
            return Finding(
                "objets", f"il y a d’autres objets que ceux du début : {', '.join(sorted(there))}."
            )
    # A route that was changed a moment ago is taken up within two seconds.
    bench.until(lambda: judge(_answers(bench)).passed or _nobody(bench), LONGEST_S)
    return judge(_answers(bench))


def _nobody(bench: Bench) -> bool:
    """Return whether no Gateway has anything to do with the route, which no waiting changes."""
    parents = bench.namespace.get("httproute", "magasin").get("status", {}).get("parents") or ()
    return not parents


def judge(answers: Counter[str]) -> Finding:
    """Return what is wrong first with what clients got."""
    said = ", ".join(f"{number} fois {answer}" for answer, number in sorted(answers.items()))
    text = f"{REQUESTS} requêtes pour {HOST} : {said}."
    if answers["404"] == REQUESTS:
        return Finding("detachee", text)
    if set(answers) - {"v1", "v2"}:
        return Finding("service", text)
    if answers["v2"] not in WANTED:
        return Finding("poids", text)
    return Finding(None, text)


def _answers(bench: Bench) -> Counter[str]:
    return Counter(_once(bench) for _ in range(REQUESTS))


def _once(bench: Bench) -> str:
    url = bench.cluster.ingress_url(bench.progress)
    answer = get(url, "/api/info", headers={"Host": HOST}, timeout_s=3.0)
    return answer.version or str(answer.status)
