"""Compares each answer with the matrix that the panel shows."""

from __future__ import annotations

from collections.abc import Mapping

from k8s_helpers.exercises.controls import Finding
from k8s_helpers.panels import managers

WHERE = {
    "noyau_en_iaas": ("IaaS", "Système d’exploitation"),
    "orchestrateur_en_caas": ("CaaS", "Orchestrateur"),
    "image_en_caas": ("CaaS", "Langage et bibliothèques"),
    "exemplaires_en_paas": ("PaaS", "Nombre d’exemplaires"),
    "exemplaires_en_faas": ("FaaS", "Nombre d’exemplaires"),
    "donnees_en_saas": ("SaaS", "Données et réglages"),
}


def check(values: Mapping[str, str]) -> Finding:
    """Return the first answer that the matrix contradicts."""
    wrong = [key for key, (model, layer) in WHERE.items() if values[key] != managers(model)[layer]]
    text = f"{len(WHERE) - len(wrong)} réponses justes sur {len(WHERE)}"
    if wrong:
        model, layer = WHERE[wrong[0]]
        return Finding(wrong[0], f"{text} ; reprenez « {wrong[0]} » ({layer}, en {model}).")
    return Finding(None, f"{text}. Vous savez où passe la frontière.")
