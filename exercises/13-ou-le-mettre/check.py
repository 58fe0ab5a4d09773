"""Compares each choice with the simplest place that lives long enough."""

from __future__ import annotations

from collections.abc import Mapping

from k8s_helpers.exercises.controls import Finding

SIMPLEST = {
    "vignettes": "emptyDir",
    "commandes": "PersistentVolumeClaim",
    "agent": "hostPath",
    "calcul": "fichiers du conteneur",
    "compteur": "emptyDir",
}


def check(values: Mapping[str, str]) -> Finding:
    """Return the first choice that lives too short or costs too much."""
    wrong = [key for key, place in SIMPLEST.items() if values[key] != place]
    text = f"{len(SIMPLEST) - len(wrong)} réponses justes sur {len(SIMPLEST)}"
    if wrong:
        return Finding(wrong[0], f"{text} ; reprenez « {wrong[0]} ».")
    return Finding(None, f"{text}. Ni trop, ni trop peu.")
