"""Takes the database away from all pods for a while, then blocks one program: who is served, who is restarted."""

from __future__ import annotations

import time

from k8s_helpers.exercises.controls import Bench, Finding, count, in_pod, replicas, seconds

PODS, SERVICE = 2, "vitrine"
CALM_S = 4.0
"""How long all must go well at first: a liveness on a wrong port kills after three failures a second apart."""
WITHOUT_S, LONGEST_S = 7.0, 15.0
"""How long the database is away: probes of the exercise decide after three failures a second apart, and later where
the machine is busy."""
BACK_WITHIN_S = 15.0
RESTARTED_WITHIN_S = 15.0
"""Ten seconds are asked for; the rest is for a busy machine."""


def check(bench: Bench) -> Finding:
    """Return what the pods did without their database, and with a blocked program."""
    objects = bench.answer["manifeste"]
    asked = [replicas(item) for item in objects if item["kind"] == "Deployment"]
    names = [item["metadata"]["name"] for item in objects if item["kind"] == "Service"]
    if asked != [PODS] or names != [SERVICE]:
        text = f"il faut un Deployment de deux réplicas et un Service nommé « {SERVICE} »."
        return Finding("incomplet", text)
    bench.progress.step("Déploiement de votre manifeste")
    bench.apply(objects)
    bench.wait_settled()
    bench.wait_answers(SERVICE)
    if already := _restarted_before(bench):
        text = (
            f"la base répond, et déjà {count(already, 'relance')} : la liveness échoue sans raison."
        )
        return Finding("liveness", text)
    bench.progress.step("La base s’arrête")
    names = [pod["metadata"]["name"] for pod in bench.namespace.list("pod")]
    for name in names:
        in_pod.post(bench.namespace, name, "/admin/ready/off")
    began_s = time.monotonic()
    bench.pause(WITHOUT_S)
    bench.until(lambda: bench.standing()[0] == 0 or bench.standing()[1] > 0, LONGEST_S - WITHOUT_S)
    ready, restarts = bench.standing()
    without_s = time.monotonic() - began_s
    if restarts:
        return Finding(
            "cascade", f"sans base, {count(restarts, 'relance')} en {seconds(without_s)}."
        )
    if ready:
        return Finding(
            "encore-servi",
            f"sans base depuis {seconds(without_s)}, {count(ready, 'pod recevait', 'pods recevaient')} encore des "
            "clients.",
        )
    bench.progress.step("La base revient")
    for name in names:
        in_pod.post(bench.namespace, name, "/admin/ready/on")
    if not bench.until(lambda: bench.standing()[0] == PODS, BACK_WITHIN_S):
        return Finding("bloque", "la base revenue, les pods ne sont pas redevenus prêts.")
    bench.progress.step("Un programme se bloque")
    in_pod.post(bench.namespace, names[0], "/admin/live/off")
    if not bench.until(lambda: bench.standing()[1] > 0, RESTARTED_WITHIN_S):
        return Finding(
            "jamais-relance",
            f"la panne de la base est passée sans dégât, mais un programme bloqué ne l’était plus : il l’est encore "
            f"{seconds(RESTARTED_WITHIN_S)} plus tard.",
        )
    return Finding(None, "sans base, personne n’est servi ni relancé ; bloqué, un pod est relancé.")


def _restarted_before(bench: Bench) -> int:
    """Return how many restarts there are while nothing is wrong."""
    bench.until(lambda: bench.standing()[1] > 0, CALM_S)
    return bench.standing()[1]
