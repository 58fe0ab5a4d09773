"""Asks the Service many times, each on a connection of its own: who answers, and does anybody?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from k8s_helpers.exercises.controls import Answer, Bench, Finding, count, get

REQUESTS = 40
"""With one draft among three pods, all of them miss it once in ten million."""
ROUNDS = 3
"""The first may come before every address of the Service is known."""


def check(bench: Bench) -> Finding:
    """Return whether both pods of production answer, and nobody else."""
    service = bench.answer["service"]
    if "boutique" not in [item["metadata"]["name"] for item in service]:
        return Finding("nom", "aucun des Services que vous donnez ne s’appelle « boutique ».")
    bench.progress.step("Les deux applications démarrent")
    bench.apply(bench.given("avant.yaml"))
    bench.apply(service)
    bench.wait_settled()
    if not bench.wait_behind("boutique"):
        return Finding("personne", "le Service « boutique » n’a aucune adresse derrière lui.")
    bench.progress.step(f"{REQUESTS} requêtes, chacune sur sa connexion")
    url = bench.namespace.service_url("boutique", timeout_s=0)
    answers: list[Answer] = []
    for _ in range(ROUNDS):
        answers = [get(url, "/api/info", timeout_s=3.0) for _ in range(REQUESTS)]
        if judge(answers).passed:
            break
        bench.pause(0.5)
    return judge(answers)


def judge(answers: Sequence[Answer]) -> Finding:
    """Return what is wrong with who answered."""
    versions = Counter(answer.version for answer in answers if answer.version)
    if not versions:
        return Finding("port", f"{REQUESTS} requêtes, aucune réponse, et pourtant des pods prêts.")
    if versions["v2"]:
        text = count(versions["v2"], "requête est allée", "requêtes sont allées")
        return Finding("trop-large", f"{text} au brouillon (v2), sur {REQUESTS}.")
    pods = {answer.pod for answer in answers if answer.version}
    text = f"{versions.total()} réponses sur {REQUESTS}, de {count(len(pods), 'pod')} de production"
    return Finding(None if len(pods) == 2 else "personne", f"{text}.")
