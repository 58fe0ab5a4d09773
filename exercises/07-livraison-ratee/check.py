"""Delivers a bad version under traffic, waits for the Deployment to say so, and goes back as a pipeline would."""

from __future__ import annotations

import time

from k8s_helpers.exercises.controls import (
    Bench,
    Finding,
    count,
    failed,
    number,
    only,
    rolled_out,
    rollout_failed,
    rollouts,
    seconds,
)

RATE_PER_S = 40.0
BAD = {"PORT": "9090"}
"""The program listens elsewhere than where the Service sends its clients."""
PATIENCE_S = 15.0


def check(bench: Bench) -> Finding:
    """Return who was hurt, and whether anybody was told."""
    objects = bench.answer["manifeste"]
    deployed, served = only(objects, "Deployment"), only(objects, "Service")
    if deployed is None or served is None:
        return Finding("incomplet", "il faut un Deployment et un Service, un de chaque.")
    name, service = deployed["metadata"]["name"], served["metadata"]["name"]
    bench.progress.step("Déploiement de votre manifeste, version 1")
    bench.apply(objects, version="v1")
    bench.wait_settled()
    bench.wait_answers(service)
    with bench.observe(service, RATE_PER_S) as seen:
        bench.progress.step("Livraison de la mauvaise version 2, sous trafic")
        bench.apply(objects, version="v2", env=BAD)
        told_s, accepted = _wait_verdict(bench, name)
        bench.progress.step("Retour à la version 1")
        rollouts.undo(bench.namespace, name)
        # Not `wait_settled`: with Recreate the failure told before stays until the first pod of the way back.
        bench.namespace.wait("deployment", name, rolled_out, bench.remaining_s)
    lost, sent = len(failed(seen.run().requests)), len(seen.run().requests)
    if lost:
        text = f"{count(lost, 'requête perdue', 'requêtes perdues')} sur {number(sent)}"
        if accepted:
            return Finding("sans-sonde", f"{text} : les mauvais pods ont été jugés prêts.")
        return Finding("interruption", f"{text}, sans qu’aucun mauvais pod ait été jugé prêt.")
    if told_s is None:
        return Finding(
            "delai",
            f"aucune requête perdue sur {number(sent)}, mais {seconds(PATIENCE_S)} après, "
            "le Deployment n’avait toujours rien annoncé.",
        )
    return Finding(
        None,
        f"aucune requête perdue sur {number(sent)} ; échec annoncé en {seconds(told_s)}, "
        "et la version 1 n’a jamais cessé de servir.",
    )


def _wait_verdict(bench: Bench, name: str) -> tuple[float | None, bool]:
    """Return after how long the Deployment told its failure, None where it did not; and whether it took the version."""
    began_s = time.monotonic()
    found = bench.until(
        lambda: bench.namespace.get("deployment", name),
        PATIENCE_S,
        lambda item: rollout_failed(item) is not None or rolled_out(item),
    )
    after_s = time.monotonic() - began_s
    if rollout_failed(found) is not None:
        return after_s, False
    if rolled_out(found):
        bench.pause(1.0)  # what clients see of it
        return None, True
    return None, False
