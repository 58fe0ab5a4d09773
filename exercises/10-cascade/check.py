"""Takes the database away from all pods for a while, then blocks one program: who is served, who is restarted."""

from __future__ import annotations

import time
from collections.abc import Callable

from k8s_helpers._french import count, seconds
from k8s_helpers.exercises import Bench, Finding, replicas
from k8s_helpers.experiments import in_pod

PODS, SERVICE = 2, "vitrine"
CALM_S = 4.0
"""How long all must go well at first: a liveness on a wrong port kills after three failures a second apart."""
WITHOUT_S, LONGEST_S = 7.0, 15.0
"""How long the database is away: probes of the exercise decide after three failures a second apart, and later where
the machine is busy."""
BACK_WITHIN_S = 15.0
RESTARTED_WITHIN_S = 15.0
"""Ten seconds are asked for; the rest is for a busy machine."""
_LOOK_S = 0.2


def check(bench: Bench) -> Finding:
    """Return what the pods did without their database, and with a blocked program."""
    objects = bench.answer["manifeste"]
    asked = [replicas(item) for item in objects if item["kind"] == "Deployment"]
    names = [item["metadata"]["name"] for item in objects if item["kind"] == "Service"]
    if asked != [PODS] or names != [SERVICE]:
        told = f"il faut un Deployment de deux réplicas et un Service nommé « {SERVICE} »."
        return Finding("incomplet", told)
    bench.progress.step("Déploiement de votre manifeste")
    bench.apply(objects)
    bench.wait_settled()
    bench.wait_answers(SERVICE)
    if already := _restarted_before(bench):
        told = (
            f"la base répond, et déjà {count(already, 'relance')} : la liveness échoue sans raison."
        )
        return Finding("liveness", told)
    bench.progress.step("La base s’arrête")
    names = [pod["metadata"]["name"] for pod in bench.namespace.list("pod")]
    for name in names:
        in_pod.post(bench.namespace, name, "/admin/ready/off")
    began_s = time.monotonic()
    bench.pause(WITHOUT_S)
    _soon(bench, LONGEST_S - WITHOUT_S, lambda: bench.standing()[0] == 0 or bench.standing()[1] > 0)
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
    if not _soon(bench, BACK_WITHIN_S, lambda: bench.standing()[0] == PODS):
        return Finding("bloque", "la base revenue, les pods ne sont pas redevenus prêts.")
    bench.progress.step("Un programme se bloque")
    in_pod.post(bench.namespace, names[0], "/admin/live/off")
    if not _soon(bench, RESTARTED_WITHIN_S, lambda: bench.standing()[1] > 0):
        return Finding(
            "jamais-relance",
            f"la panne de la base est passée sans dégât, mais un programme bloqué ne l’était plus : il l’est encore "
            f"{seconds(RESTARTED_WITHIN_S)} plus tard.",
        )
    return Finding(None, "sans base, personne n’est servi ni relancé ; bloqué, un pod est relancé.")


def _restarted_before(bench: Bench) -> int:
    """Return how many restarts there are while nothing is wrong."""
    _soon(bench, CALM_S, lambda: bench.standing()[1] > 0)
    return bench.standing()[1]


def _soon(bench: Bench, within_s: float, holds: Callable[[], bool]) -> bool:
    end_s = time.monotonic() + within_s
    while time.monotonic() < end_s:
        if holds():
            return True
        bench.pause(_LOOK_S)
    return False
