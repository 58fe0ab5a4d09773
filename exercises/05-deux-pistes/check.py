"""Sends sixty requests to each of the two Services and looks at which versions answer."""

from __future__ import annotations

from collections import Counter

from k8s_helpers.exercises.controls import Bench, Finding, get

NAMES = ("boutique", "boutique-essai")
REQUESTS = 60
"""One pod in four answers none of them once in thirty million."""
ROUNDS = 3


def check(bench: Bench) -> Finding:
    """Return whether each Service leads to the versions that it should."""
    given = {item["metadata"]["name"] for item in bench.answer["services"]}
    if missing := [name for name in NAMES if name not in given]:
        return Finding("manque", f"pas de Service « {' », « '.join(missing)} » dans votre réponse.")
    bench.progress.step("Les deux versions démarrent")
    bench.apply(bench.given("avant.yaml"))
    bench.apply(bench.answer["services"])
    bench.wait_settled()
    for name in NAMES:
        if not bench.wait_behind(name):
            return Finding("personne", f"le Service « {name} » n’a aucune adresse derrière lui.")
    bench.progress.step(f"{REQUESTS} requêtes à chaque Service")
    finding = judge(*(_versions(bench, name) for name in NAMES))
    for _ in range(ROUNDS - 1):
        if finding.passed:
            break
        bench.pause(0.5)
        finding = judge(*(_versions(bench, name) for name in NAMES))
    return finding


def judge(everyone: Counter[str], testers: Counter[str]) -> Finding:
    """Return what is wrong first with the versions that clients and testers have seen."""
    text = f"« boutique » : {_words(everyone)} ; « boutique-essai » : {_words(testers)}"
    if not everyone or not testers:
        return Finding("personne", f"{text}.")
    if set(testers) != {"v2"}:
        return Finding("melange", f"{text}.")
    if set(everyone) != {"v1", "v2"}:
        return Finding("pas-de-canari", f"{text}.")
    return Finding(None, f"{text}.")


def _words(versions: Counter[str]) -> str:
    return (
        ", ".join(f"{number} fois {version}" for version, number in sorted(versions.items()))
        or "aucune réponse"
    )


def _versions(bench: Bench, name: str) -> Counter[str]:
    url = bench.namespace.service_url(name, timeout_s=0)
    answers = (get(url, "/api/info", timeout_s=3.0) for _ in range(REQUESTS))
    return Counter(answer.version for answer in answers if answer.version)
