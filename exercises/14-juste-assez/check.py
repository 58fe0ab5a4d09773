"""Kills one pod at once, under traffic, and counts what clients lost around it."""

from __future__ import annotations

from k8s_helpers._french import number, seconds
from k8s_helpers.exercises import Bench, Finding, replicas
from k8s_helpers.recording import Run
from k8s_helpers.timeline import failed, outages

ENV = {"STARTUP_SECONDS": "4"}
RATE_PER_S = 25.0
MOST_PODS, MOST_LOST, LONGEST_OUTAGE_S = 2, 0.1, 1.5
AFTER_S = 8.0


def check(bench: Bench) -> Finding:
    """Return what the death of a pod cost."""
    objects = bench.answer["manifeste"]
    asked = [replicas(item) for item in objects if item["kind"] == "Deployment"]
    wanted = sum(one for one in asked if isinstance(one, int))
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
    longest_s = max((one.end_s - one.start_s for one in outages(run.requests)), default=0.0)
    told = (
        f"{number(lost)} requêtes perdues sur {number(len(run.requests))} ({number(100 * share)} %)"
    )
    if longest_s > LONGEST_OUTAGE_S:
        return Finding(
            "interruption", f"{told}, et personne pour répondre pendant {seconds(longest_s)}."
        )
    if share > MOST_LOST:
        return Finding("perdues", f"{told}. La limite est de {number(100 * MOST_LOST)} %.")
    return Finding(None, f"{told}, avec deux pods. Un troisième n’y changerait presque rien.")
