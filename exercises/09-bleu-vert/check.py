"""Plays the student's three acts under traffic: nobody may see v2 too early, both versions at once, or nothing."""

from __future__ import annotations

from collections.abc import Sequence

from k8s_helpers.exercises.controls import (
    Bench,
    Finding,
    Request,
    Run,
    count,
    failed,
    get,
    number,
    seconds,
)

ENV = {"STARTUP_SECONDS": "3"}
RATE_PER_S = 50.0
SWITCH_S = 2.5
"""What a switch may take: some proxies program their rules once a second. An update takes the start of a pod, 3 s."""
STAY_S, ANSWERS_S = 4.0, 15.0
"""How long an act is watched, and how long the pods behind the Service get to answer at all."""


def check(bench: Bench) -> Finding:
    """Return what users saw of the switch and of the way back."""
    bench.progress.step("La version bleue démarre")
    bench.apply(bench.given("avant.yaml"), env=ENV)
    bench.wait_settled()
    bench.wait_answers("vitrine")
    with bench.observe("vitrine", RATE_PER_S) as seen:
        for step, mark in (
            ("preparer", "apply"),
            ("basculer", "switch"),
            ("revenir", "switch-back"),
        ):
            bench.progress.step(f"Votre manifeste « {step} », sous trafic")
            seen.mark(mark)
            bench.apply(bench.answer[step], env=ENV)
            bench.wait_settled()
            if step != "preparer":
                bench.pause(STAY_S)
                _wait_answered(bench)
    return judge(seen.run())


def _wait_answered(bench: Bench) -> None:
    """Wait until a pod behind the Service answers, where there is one: on a busy machine it starts late."""
    address = bench.namespace.service_url("vitrine", timeout_s=0)
    bench.until(lambda: get(address, "/api/info") or not bench.behind("vitrine"), ANSWERS_S)


def judge(run: Run) -> Finding:
    """Return what is wrong first, in the order in which it happens."""
    switch, back = run.mark("switch"), run.mark("switch-back")
    assert switch is not None and back is not None
    before = [request for request in run.requests if request.answered_s < switch.at_s]
    green = [
        request
        for request in run.requests
        if switch.at_s <= request.planned_s and request.answered_s < back.at_s
    ]
    after = [request for request in run.requests if request.planned_s >= back.at_s]
    whole = number(len(run.requests))
    if early := _of(before, "v2"):
        return Finding("trop-tot", f"{count(early, 'réponse')} de la version 2 avant la bascule.")
    if len(failed(green)) > len(green) / 2 and not _of(green, "v2"):
        text = f"{number(len(failed(green)))} requêtes perdues sur {number(len(green))}"
        return Finding("personne", f"{text} après la bascule.")
    if not _of(green, "v2"):
        text = f"{number(len(green))} réponses, toutes de la version 1"
        return Finding("pas-bascule", f"après « basculer », {text}.")
    if (mixed_s := _mixed_s(green, "v2")) > SWITCH_S:
        text = f"les deux versions ont répondu pendant {seconds(mixed_s)}"
        return Finding("melange", f"après « basculer », {text}.")
    if after and not _of(after, "v1"):
        text = f"{number(len(after))} réponses, toutes de la version 2"
        return Finding("pas-retour", f"après « revenir », {text}.")
    if (mixed_s := _mixed_s(after, "v1")) > SWITCH_S:
        text = f"il a fallu {seconds(mixed_s)} pour que tous voient la version 1"
        return Finding("retour-lent", f"après « revenir », {text}.")
    if lost := failed(run.requests):
        text = count(len(lost), "requête perdue", "requêtes perdues")
        return Finding("perdues", f"{text} sur {whole}.")
    text = f"aucune requête perdue sur {whole}, aucune version mêlée"
    return Finding(None, f"{text}, et le retour est immédiat.")


def _of(requests: Sequence[Request], version: str) -> int:
    return sum(request.version == version for request in requests)


def _mixed_s(requests: Sequence[Request], wanted: str) -> float:
    """Return how long after the act somebody still met another version than the wanted one."""
    others = [request.sent_s for request in requests if request.ok and request.version != wanted]
    return max(others) - requests[0].planned_s if others else 0.0
