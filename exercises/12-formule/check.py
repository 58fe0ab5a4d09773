"""Reckons each decision by the same function as the forecasts, and names the usual slips."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from k8s_helpers.exercises.controls import Finding, count, number
from k8s_helpers.labs.autoscaling import Autoscaler, bounded, desired_replicas

CASES = {
    "quatre_pods_a_90": (4, 90, 60, "proportion"),
    "cinq_pods_a_54": (5, 54, 50, "tolerance"),
    "trois_pods_a_20": (3, 20, 50, "arrondi"),
    "six_pods_a_200": (6, 200, 50, "borne"),
}


def check(values: Mapping[str, Any]) -> Finding:
    """Return which reckoning is wrong first."""
    for name, (current, percent, target, code) in CASES.items():
        right = bounded(desired_replicas(current, percent, target), Autoscaler(target, 1, 10))
        if values[name] != right:
            text = f"{count(current, 'pod')} à {percent} %, cible {target} % : {number(values[name])}, non."
            return Finding(code, text)
    return Finding(
        None, "6, 5, 2 et 10 : la proportion, la tolérance, l’arrondi vers le haut, la borne."
    )
