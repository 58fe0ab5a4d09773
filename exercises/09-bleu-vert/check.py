"""Plays the student's three acts under traffic: nobody may see v2 too early, both versions at once, or nothing."""

from __future__ import annotations

import time
from collections.abc import Sequence

from k8s_helpers._french import count, number, seconds
from k8s_helpers.exercises import Bench, Finding
from k8s_helpers.experiments.http import get
from k8s_helpers.recording import Request, Run
from k8s_helpers.timeline import failed

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
    until_s = time.monotonic() + ANSWERS_S
    while time.monotonic() < until_s and bench.behind("vitrine"):
        if get(address, "/api/info").status == 200:
            return
        bench.pause(0.2)


def judge(run: Run) -> Finding:
    """Return what is wrong first, in the order in which it happens."""
    switch, back = run.mark("switch"), run.mark("switch-back")
    assert switch is not None and back is not None
    before = [one for one in run.requests if one.answered_s < switch.at_s]
    green = [
        one for one in run.requests if switch.at_s <= one.planned_s and one.answered_s < back.at_s
    ]
    after = [one for one in run.requests if one.planned_s >= back.at_s]
    whole = number(len(run.requests))
    if early := _of(before, "v2"):
        return Finding("trop-tot", f"{count(early, 'réponse')} de la version 2 avant la bascule.")
    if len(failed(green)) > len(green) / 2 and not _of(green, "v2"):
        told = f"{number(len(failed(green)))} requêtes perdues sur {number(len(green))}"
        return Finding("personne", f"{told} après la bascule.")
    if not _of(green, "v2"):
        told = f"{number(len(green))} réponses, toutes de la version 1"
        return Finding("pas-bascule", f"après « basculer », {told}.")
    if (mixed_s := _mixed_s(green, "v2")) > SWITCH_S:
        told = f"les deux versions ont répondu pendant {seconds(mixed_s)}"
        return Finding("melange", f"après « basculer », {told}.")
    if after and not _of(after, "v1"):
        told = f"{number(len(after))} réponses, toutes de la version 2"
        return Finding("pas-retour", f"après « revenir », {told}.")
    if (mixed_s := _mixed_s(after, "v1")) > SWITCH_S:
        told = f"il a fallu {seconds(mixed_s)} pour que tous voient la version 1"
        return Finding("retour-lent", f"après « revenir », {told}.")
    if lost := failed(run.requests):
        told = count(len(lost), "requête perdue", "requêtes perdues")
        return Finding("perdues", f"{told} sur {whole}.")
    told = f"aucune requête perdue sur {whole}, aucune version mêlée"
    return Finding(None, f"{told}, et le retour est immédiat.")


def _of(requests: Sequence[Request], version: str) -> int:
    return sum(one.version == version for one in requests)


def _mixed_s(requests: Sequence[Request], wanted: str) -> float:
    """Return how long after the act somebody still met another version than the wanted one."""
    others = [one.sent_s for one in requests if one.ok and one.version != wanted]
    return max(others) - requests[0].planned_s if others else 0.0
