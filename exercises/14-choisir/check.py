"""Judges five contexts by the course's own rules: the decision aid's function, not a list of answers."""

from __future__ import annotations

from collections.abc import Mapping

from k8s_helpers.exercises.controls import Finding
from k8s_helpers.panels import KUBERNETES, Context, recommend

CONTEXTS = {
    "association": Context("prototype", 1, 1),
    "erp": Context("monolithe", 1, 2),
    "equipe_de_quatre": Context("services", 4, 4),
    "vignettes": Context("evenements", 1, 4),
    "place_de_marche": Context("services", 30, 40, True, 99.95, False, True),
}
CODES = {
    "association": "prototype",
    "erp": "monolithe",
    "equipe_de_quatre": "petite-equipe",
    "vignettes": "evenements",
    "place_de_marche": "jamais-kubernetes",
}


def check(values: Mapping[str, str]) -> Finding:
    """Return the first choice that the rules do not support."""
    best = {key: recommend(context) for key, context in CONTEXTS.items()}
    wrong = [key for key, found in best.items() if values[key] != found.option]
    right = len(best) - len(wrong)
    text = f"{right} choix sur {len(best)} sont ceux que les règles du cours donnent en premier"
    if not wrong:
        return Finding(None, f"{text}. Un seul des cinq est Kubernetes, et c’est bien ainsi.")
    if sum(values[key] == KUBERNETES for key in wrong) >= 2:
        return Finding(
            "tout-kubernetes", f"{text} ; vous proposez Kubernetes à qui n’en a pas besoin."
        )
    if "place_de_marche" in wrong:
        return Finding(CODES["place_de_marche"], f"{text} ; reprenez « place_de_marche ».")
    return Finding(CODES[wrong[0]], f"{text} ; reprenez « {wrong[0]} ».")
