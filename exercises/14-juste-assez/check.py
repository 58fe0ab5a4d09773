"""Kills one pod at once, under traffic, and counts what clients lost around it."""

from __future__ import annotations

from k8s_helpers.exercises.controls import (
    Bench,
    Finding,
    Run,
    failed,
    number,
    outages,
    replicas,
    seconds,
)

ENV = {"STARTUP_SECONDS": "4"}
RATE_PER_S = 25.0
MOST_PODS, MOST_LOST, LONGEST_OUTAGE_S = 2, 0.1, 1.5
AFTER_S = 8.0


def check(bench: Bench) -> Finding:
    """Return what the death of a pod cost."""
    objects = bench.answer["manifeste"]
    asked = [replicas(item) for item in objects if item["kind"] == "Deployment"]
    wanted = sum(entry for entry in asked if isinstance(entry, int))
    if wanted > MOST_PODS:
        return Finding("trop-de-pods", f"{wanted} pods demandés ; deux suffisent.")
    bench.progress.step("Déploiement de votre manifeste")
    bench.apply(objects, env=ENV)
    bench.wait_settled()
    bench.wait_answers("vitrine")
    with bench.observe("vitrine", RATE_PER_S) as seen:
        victim = bench.namespace.list("pod")[0]["metadata"]["name"]
        bench.progress.step(f"Mort subite du pod {victim}")
        seen.mark("kill")
        bench.namespace.delete_object("pod", victim, grace_s=0)
        bench.pause(AFTER_S)
    return judge(seen.run())


def judge(run: Run) -> Finding:
    """Return whether the loss is small enough."""
    lost = len(failed(run.requests))
    share = lost / max(len(run.requests), 1)
    longest_s = max(
        (request.end_s - request.start_s for request in outages(run.requests)), default=0.0
    )
    text = (
        f"{number(lost)} requêtes perdues sur {number(len(run.requests))} ({number(100 * share)} %)"
    )
    if longest_s > LONGEST_OUTAGE_S:
        return Finding(
            "interruption", f"{text}, et personne pour répondre pendant {seconds(longest_s)}."
        )
    if share > MOST_LOST:
        return Finding("perdues", f"{text}. La limite est de {number(100 * MOST_LOST)} %.")
    return Finding(None, f"{text}, avec deux pods. Un troisième n’y changerait presque rien.")
