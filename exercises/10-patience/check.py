"""Lets the slow program start, then blocks it: it must have lived through its start, and be restarted soon after."""

from __future__ import annotations

import time

from k8s_helpers._french import seconds
from k8s_helpers.exercises import Bench, Finding, replicas
from k8s_helpers.experiments import in_pod

STARTUP_S = 5.0
ENV = {"STARTUP_SECONDS": "5"}
STARTS_WITHIN_S = 20.0
RESTARTED_WITHIN_S = 12.0
"""Eight seconds are asked for; the rest is for a busy machine."""
_LOOK_S = 0.2


def check(bench: Bench) -> Finding:
    """Return whether it started at once, and whether a blocked one was restarted."""
    objects = bench.answer["manifeste"]
    if len(objects) != 1 or (asked := replicas(objects[0])) != 1:
        told = f", et il demande {asked} réplicas" if len(objects) == 1 else ""
        return Finding("incomplet", f"il faut un Deployment d’un réplica, et rien d’autre{told}.")
    bench.progress.step("Démarrage du programme lent")
    bench.apply(objects, env=ENV)
    began_s = time.monotonic()
    while True:
        after_s = time.monotonic() - began_s
        ready, restarts = bench.standing()
        if restarts:
            return Finding(
                "tue", f"relancé au bout de {seconds(after_s)}, avant d’avoir fini de démarrer."
            )
        if ready and after_s > STARTUP_S:
            break
        if after_s > STARTS_WITHIN_S:
            return Finding("pas-pret", f"toujours pas prêt après {seconds(after_s)}.")
        bench.pause(_LOOK_S)
    return _blocked(bench)


def _blocked(bench: Bench) -> Finding:
    (pod,) = bench.namespace.list("pod")
    bench.progress.step("Le programme se bloque")
    in_pod.post(bench.namespace, pod["metadata"]["name"], "/admin/live/off")
    began_s = time.monotonic()
    while (after_s := time.monotonic() - began_s) < RESTARTED_WITHIN_S:
        if bench.standing()[1]:
            return Finding(
                None,
                f"démarré sans être tué, et relancé {seconds(after_s)} après s’être bloqué.",
            )
        bench.pause(_LOOK_S)
    return Finding(
        "molle",
        f"il a démarré, mais une fois bloqué, personne ne l’avait relancé après {seconds(after_s)}.",
    )
