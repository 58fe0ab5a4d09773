"""Lets the slow program start, then blocks it: it must have lived through its start, and be restarted soon after."""

from __future__ import annotations

import time

from k8s_helpers.exercises.controls import Bench, Finding, in_pod, replicas, seconds

STARTUP_S = 5.0
ENV = {"STARTUP_SECONDS": "5"}
STARTS_WITHIN_S = 20.0
RESTARTED_WITHIN_S = 12.0
"""Eight seconds are asked for; the rest is for a busy machine."""


def check(bench: Bench) -> Finding:
    """Return whether it started at once, and whether a blocked one was restarted."""
    objects = bench.answer["manifeste"]
    if len(objects) != 1 or (asked := replicas(objects[0])) != 1:
        text = f", et il demande {asked} réplicas" if len(objects) == 1 else ""
        return Finding("incomplet", f"il faut un Deployment d’un réplica, et rien d’autre{text}.")
    bench.progress.step("Démarrage du programme lent")
    bench.apply(objects, env=ENV)
    began_s = time.monotonic()
    ready, restarts = bench.until(
        bench.standing,
        STARTS_WITHIN_S,
        lambda seen: seen[1] or (seen[0] and time.monotonic() - began_s > STARTUP_S),
    )
    after_s = time.monotonic() - began_s
    if restarts:
        text = f"relancé au bout de {seconds(after_s)}, avant d’avoir fini de démarrer."
        return Finding("tue", text)
    if not ready:
        return Finding("pas-pret", f"toujours pas prêt après {seconds(after_s)}.")
    return _blocked(bench)


def _blocked(bench: Bench) -> Finding:
    (pod,) = bench.namespace.list("pod")
    bench.progress.step("Le programme se bloque")
    in_pod.post(bench.namespace, pod["metadata"]["name"], "/admin/live/off")
    began_s = time.monotonic()
    restarted = bench.until(lambda: bench.standing()[1], RESTARTED_WITHIN_S)
    after_s = time.monotonic() - began_s
    if restarted:
        text = f"démarré sans être tué, et relancé {seconds(after_s)} après s’être bloqué."
        return Finding(None, text)
    return Finding(
        "molle",
        f"il a démarré, mais une fois bloqué, personne ne l’avait relancé après {seconds(after_s)}.",
    )
