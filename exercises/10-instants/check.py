"""Holds each instant against the forecast of the same probes."""

from __future__ import annotations

from collections.abc import Mapping

from k8s_helpers.exercises.controls import Finding, number
from k8s_helpers.panels import SLIDE_PROBES

ANSWERS_FROM_S = 33.0
READY = SLIDE_PROBES["readiness"].passes_after(ANSWERS_FROM_S)
KILL = SLIDE_PROBES["liveness"].fails_after(0.0)
WANTED = {
    "pret_au_plus_tot": (READY.lo_s, READY.lo_s),
    "pret_au_plus_tard": (READY.hi_s, READY.hi_s),
    "arret_au_plus_tot": (KILL.lo_s, KILL.lo_s),
    "arret_au_plus_tard": (KILL.hi_s - SLIDE_PROBES["liveness"].timeout_s, KILL.hi_s),
}
"""By question, the smallest and the largest right answer: a program may refuse, or be silent until the time-out."""


def check(values: Mapping[str, float]) -> Finding:
    """Return the first instant that the forecast contradicts."""
    wrong = [key for key, (lo, hi) in WANTED.items() if not lo <= values[key] <= hi]
    text = f"{number(len(WANTED) - len(wrong))} instants justes sur {number(len(WANTED))}"
    if wrong:
        return Finding(wrong[0], f"{text} ; reprenez « {wrong[0]} ».")
    return Finding(None, f"{text}. Vous lisez une sonde comme le kubelet.")
