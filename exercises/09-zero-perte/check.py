"""Updates the student's Deployment from v1 to v2 under traffic, and looks for what was lost and why."""

from __future__ import annotations

from k8s_helpers.exercises.controls import (
    Bench,
    Finding,
    Request,
    Run,
    count,
    failed,
    latencies,
    lives,
    number,
    only,
    percentile,
    replicas,
    seconds,
)
from k8s_helpers.labs.update import summarize as update_summary

REPLICAS = 3
STARTUP_S = 3.0
WORK_S = 0.15
ENV = {"STARTUP_SECONDS": "3", "WORK_MS": f"{WORK_S * 1000:.0f}"}
RATE_PER_S = 60.0
"""With 150 ms a page, three requests are under way in each pod at any time: an abrupt end cuts some."""
SOON_S = 1.0
SEEN_S = 0.3
"""How much later than the start of a container the watch may tell of it."""
CROWDED = 4.0
"""Where half of the pages take so many times their work, others are lost whatever the manifest says."""


def check(bench: Bench) -> Finding:
    """Return what users lost during the update."""
    objects = bench.answer["manifeste"]
    deployed, served = only(objects, "Deployment"), only(objects, "Service")
    if deployed is None or served is None:
        return Finding("incomplet", "il faut un Deployment et un Service, un de chaque.")
    if (asked := replicas(deployed)) != REPLICAS:
        return Finding(
            "replicas", f"votre Deployment demande {asked} réplicas, la consigne est de {REPLICAS}."
        )
    return judge(_update(bench, served["metadata"]["name"]))


def judge(run: Run) -> Finding:
    """Return what an update has lost, and why."""
    lost = failed(run.requests)
    if not lost:
        return Finding(
            None,
            f"aucune requête perdue sur {number(len(run.requests))} pendant une vraie mise à jour, "
            f"avec {REPLICAS} réplicas.",
        )
    return _explain(run, lost)


def _update(bench: Bench, service: str) -> Run:
    objects = bench.answer["manifeste"]
    bench.progress.step("Déploiement de votre manifeste, version 1")
    bench.apply(objects, version="v1", env=ENV)
    bench.wait_settled()
    bench.wait_answers(service)
    with bench.observe(service, RATE_PER_S) as seen:
        bench.progress.step("Mise à jour vers la version 2, sous trafic")
        seen.mark("apply")
        bench.apply(objects, version="v2", env=ENV)
        bench.wait_settled()
        seen.mark("complete")
        bench.pause(STARTUP_S)
    return seen.run()


def _explain(run: Run, lost: tuple[Request, ...]) -> Finding:
    text = (
        f"{count(len(lost), 'requête perdue', 'requêtes perdues')} sur {number(len(run.requests))}"
    )
    if update_summary(run).lowest_ready == 0:
        return Finding("interruption", f"{text} : pendant un moment, plus aucun pod n’était prêt.")
    new = [life for life in lives(run) if life.created_s > 0]
    hasty = [
        life
        for life in new
        if life.ready
        and life.started_s is not None
        and life.ready[0].start_s - life.started_s < STARTUP_S - SEEN_S
    ]
    if hasty:
        hurried = count(len(hasty), "nouveau pod annoncé prêt", "nouveaux pods annoncés prêts")
        return Finding(
            "demarrage",
            f"{text} : {hurried} moins de trois secondes après leur lancement, "
            "alors que le programme n’écoute qu’au bout de trois.",
        )
    if (page_s := percentile(latencies(run.requests), 0.5) or 0.0) > CROWDED * WORK_S:
        return Finding(
            "charge",
            f"{text}, mais la moitié des pages a pris plus de {seconds(page_s)}, pour {seconds(WORK_S)} de travail : "
            "les processeurs ne suivent pas, et rien ne dit que votre manifeste les a perdues.",
        )
    ends = [life.terminating_s for life in lives(run) if life.terminating_s is not None]
    near = sum(
        any(-SOON_S <= request.answered_s - end_s <= SOON_S for end_s in ends) for request in lost
    )
    share = "toutes" if near == len(lost) else f"{near} d’entre elles"
    return Finding("arret", f"{text}, {share} dans la seconde qui entoure l’arrêt d’un ancien pod.")
