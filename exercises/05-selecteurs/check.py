"""Counts what each selector chooses, by the rules of the API."""

from __future__ import annotations

from collections.abc import Mapping

from k8s_helpers.exercises.controls import Finding, selector_matches

PODS: Mapping[str, Mapping[str, str]] = {
    "a": {"app": "boutique", "equipe": "vente", "stade": "production"},
    "b": {"app": "boutique", "equipe": "vente", "stade": "production"},
    "c": {"app": "boutique", "equipe": "vente", "stade": "essai"},
    "d": {"app": "blog", "equipe": "redaction", "stade": "production"},
    "e": {"app": "blog", "equipe": "redaction", "stade": "essai"},
    "f": {"app": "paiement", "equipe": "finance", "stade": "production"},
    "g": {"app": "paiement", "stade": "production"},
    "h": {"app": "boutique", "equipe": "vente"},
}
SELECTORS = {
    "boutique": ("app=boutique", "compte"),
    "boutique_en_production": ("app=boutique,stade=production", "virgule"),
    "vente_ou_finance": ("equipe in (vente, finance)", "ensemble"),
    "pas_a_l_essai": ("stade!=essai", "absence"),
    "sans_equipe": ("!equipe", "compte"),
    "equipe_en_production": ("equipe,stade=production", "existe"),
}


def check(values: Mapping[str, float]) -> Finding:
    """Return the first selector that was read wrong."""
    right = 0
    first: tuple[str, str] | None = None
    for key, (selector, code) in SELECTORS.items():
        if values[key] == sum(selector_matches(selector, labels) for labels in PODS.values()):
            right += 1
        elif first is None:
            first = (key, code)
    text = f"{right} sélecteurs sur {len(SELECTORS)} bien lus"
    if first is None:
        return Finding(None, f"{text}.")
    return Finding(first[1], f"{text} ; reprenez « {first[0]} », soit {SELECTORS[first[0]][0]}.")
