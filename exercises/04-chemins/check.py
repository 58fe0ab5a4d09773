"""Sends requests to the ingress controller, with the host of each, and looks at which application answers."""

from __future__ import annotations

from k8s_helpers.exercises.controls import Bench, Finding, get

HOST, OTHER = "cours.example.com", "autre.example.com"
WANTED = {"/": "site", "/apiculture": "site", "/api": "api", "/api/info": "api"}
SERVICES = {"v1": "site", "v2": "api"}
TAKEN_S, SERVED_S = 8.0, 5.0
"""How long a controller gets to say that it serves the Ingress, and then to follow all of its rules."""


def check(bench: Bench) -> Finding:
    """Return which application answers to which request."""
    url = bench.cluster.ingress_url(bench.progress)
    bench.progress.step("Les deux applications démarrent")
    bench.apply(bench.given("avant.yaml"))
    bench.wait_settled()
    bench.progress.step("Votre Ingress")
    bench.apply(bench.answer["ingress"])
    if not bench.until(lambda: _taken(bench), TAKEN_S):
        return Finding("personne", f"après {TAKEN_S:.0f} s, l’Ingress n’a toujours pas d’adresse.")
    answers = bench.until(
        lambda: {path: _who(url, HOST, path) for path in WANTED},
        SERVED_S,
        lambda found: found == WANTED,
        every_s=0.5,
    )
    return _judge(answers, _who(url, OTHER, "/"))


def _taken(bench: Bench) -> bool:
    found = bench.namespace.list("ingress")
    given = [item.get("status", {}).get("loadBalancer", {}) for item in found]
    return bool(given) and all(item.get("ingress") for item in given)


def _who(url: str, host: str, path: str) -> str:
    answer = get(url, path, headers={"Host": host}, timeout_s=3.0)
    return SERVICES.get(answer.version or "", f"personne ({answer.status})")


def _judge(answers: dict[str, str], other: str) -> Finding:
    """Return what is wrong first, from the most general to the most particular."""
    text = ", ".join(f"{path} → {who}" for path, who in answers.items())
    if other in WANTED.values():
        return Finding("tous-les-noms", f"{OTHER} mène à « {other} ».")
    if answers == WANTED:
        return Finding(None, f"{text} ; {OTHER} ne mène à rien.")
    if (answers["/"], answers["/api/info"]) == ("api", "site"):
        return Finding("inverse", f"{text}.")
    if any(who not in WANTED.values() for who in answers.values()):
        return Finding("perdu", f"{text}.")
    if answers["/api"] == "api":
        return Finding("sous-chemins", f"{text}.")
    return Finding("pas-d-api", f"{text}.")
