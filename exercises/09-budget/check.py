"""Updates six replicas and counts: pods at most, ready pods at least, how long in pods' start-up times."""

from __future__ import annotations

from collections.abc import Callable
from statistics import median

from k8s_helpers.exercises.controls import (
    Bench,
    Finding,
    PodLife,
    Run,
    lives,
    number,
    replicas,
    seconds,
)

REPLICAS, MOST_PODS, FEWEST_READY, MOST_STARTS = 6, 7, 5, 4.5
STARTUP_S = 3.0
ENV = {"STARTUP_SECONDS": f"{STARTUP_S:g}"}
TRANSIENT_S = 0.8
"""Two controllers act one after the other: what lasts less than that is their hand-over, not the student's choice."""


def check(bench: Bench) -> Finding:
    """Return whether the update stayed within the budget."""
    objects = bench.answer["manifeste"]
    if len(objects) != 1:
        return Finding("incomplet", "il faut un Deployment, rien d’autre.")
    if (asked := replicas(objects[0])) != REPLICAS:
        return Finding("replicas", f"votre Deployment demande {asked} réplicas.")
    bench.progress.step("Déploiement de votre manifeste, version 1")
    bench.apply(objects, version="v1", env=ENV)
    bench.wait_settled()
    with bench.observe() as seen:
        bench.progress.step("Mise à jour vers la version 2")
        seen.mark("apply")
        bench.apply(objects, version="v2", env=ENV)
        bench.wait_settled()
    return judge(seen.run())


def judge(run: Run) -> Finding:
    """Return which limit was broken, if one was."""
    found = lives(run)
    new = [life for life in found if life.created_s > 0 and life.ready]
    if not new:
        return Finding("bloque", "la mise à jour n’a créé aucun nouveau pod.")
    start_s = median(life.ready[0].start_s - life.created_s for life in new)
    duration_s = max(life.ready[0].start_s for life in new) - min(life.created_s for life in new)
    most = _level(run, found, _alive, highest=True)
    fewest = _level(run, found, PodLife.ready_at, highest=False)
    if start_s < STARTUP_S - 1:
        return Finding(
            "trop-tot",
            f"un pod neuf se dit prêt {seconds(start_s)} après sa création, et le programme n’écoute qu’au bout de "
            f"{seconds(STARTUP_S)}.",
        )
    starts = duration_s / start_s
    text = f"{most} pods au plus, {fewest} prêts au moins, en {number(starts, 1)} fois le temps de démarrage d’un pod"
    if most > MOST_PODS:
        return Finding("trop-de-pods", f"{text}. La limite est de {MOST_PODS} pods.")
    if fewest < FEWEST_READY:
        return Finding("pas-assez-prets", f"{text}. Il en fallait toujours {FEWEST_READY} prêts.")
    if starts > MOST_STARTS:
        return Finding("trop-lent", f"{text}. La limite est de {number(MOST_STARTS, 1)}.")
    return Finding(None, f"{text}.")


def _alive(life: PodLife, at_s: float) -> bool:
    ends = [end_s for end_s in (life.terminating_s, life.gone_s) if end_s is not None]
    return life.created_s <= at_s < min(ends, default=float("inf"))


def _level(
    run: Run, found: tuple[PodLife, ...], counts: Callable[[PodLife, float], bool], *, highest: bool
) -> int:
    """Return the highest or lowest number of pods that lasted longer than a hand-over."""
    apply = run.mark("apply")
    assert apply is not None
    instants = {apply.at_s, run.ended_s}
    for life in found:
        instants.update(
            at_s for at_s in (life.created_s, life.terminating_s, life.gone_s) if at_s is not None
        )
        instants.update(at_s for stretch in life.ready for at_s in (stretch.start_s, stretch.end_s))
    steps = sorted(at_s for at_s in instants if apply.at_s <= at_s <= run.ended_s)
    levels = [sum(counts(life, at_s) for life in found) for at_s in steps[:-1]]
    best = REPLICAS
    for level in sorted(set(levels), reverse=highest):
        if (
            _longest(steps, [(item >= level) if highest else (item <= level) for item in levels])
            > TRANSIENT_S
        ):
            return level
    return best


def _longest(steps: list[float], holds: list[bool]) -> float:
    longest_s, since_s = 0.0, None
    for index, true in enumerate(holds):
        if true and since_s is None:
            since_s = steps[index]
        if since_s is not None and (not true or index == len(holds) - 1):
            longest_s = max(longest_s, (steps[index + 1] if true else steps[index]) - since_s)
        if not true:
            since_s = None
    return longest_s
