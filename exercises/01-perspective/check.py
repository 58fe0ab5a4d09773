"""Compares each point of view with what slide 1.04 says that person receives."""

from __future__ import annotations

from collections.abc import Mapping

from k8s_helpers.exercises.controls import Finding

VIEWS = {
    "heroku_pour_heroku": "IaaS",
    "heroku_pour_vous": "PaaS",
    "heroku_pour_votre_client": "SaaS",
}
UNITS = {"cluster_manage": "CaaS", "vignette": "FaaS", "salle_serveurs": "On-Premise"}


def check(values: Mapping[str, str]) -> Finding:
    """Return the first answer that is not the slide's."""
    expected = {**VIEWS, **UNITS}
    wrong = [key for key, model in expected.items() if values[key] != model]
    text = f"{len(expected) - len(wrong)} réponses justes sur {len(expected)}"
    if not wrong:
        return Finding(
            None, f"{text}. Un même service, trois noms : tout dépend d’où l’on regarde."
        )
    code = "perspective" if wrong[0] in VIEWS else "unite"
    return Finding(code, f"{text} ; reprenez « {wrong[0]} ».")
