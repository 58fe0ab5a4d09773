"""Works out the three figures by the same function as the panel, and names the usual slips."""

from __future__ import annotations

from collections.abc import Mapping
from math import isclose
from typing import Any

from k8s_helpers.exercises.controls import Finding, number
from k8s_helpers.panels import (
    HOURS_PER_MONTH,
    HOURS_PER_YEAR,
    availability_percent,
    downtime,
)

DOWN_S = 7.3 * 3600
MINUTES = downtime(99.9).month_s / 60
YEARLY = availability_percent(DOWN_S, HOURS_PER_YEAR)
THREE = 100 * downtime(99.9, 3).availability


def check(values: Mapping[str, Any]) -> Finding:
    """Return which figure is wrong first, and how."""
    minutes = values["minutes_a_99_9"]
    if isclose(minutes, HOURS_PER_MONTH * 60 - MINUTES, rel_tol=0.01) or isclose(
        minutes, HOURS_PER_MONTH - MINUTES / 60, rel_tol=0.001
    ):
        return Finding("complement", f"{_told(minutes)} par mois, ce n’est pas la panne.")
    if not isclose(minutes, MINUTES, rel_tol=0.015):
        return Finding(
            "minutes", f"{_told(minutes)} minutes par mois à 99,9 % : ce n’est pas cela."
        )
    yearly = values["disponibilite_7_3_h_par_an"]
    three = values["trois_services_a_99_9"]
    if shares := [value for value in (yearly, three) if 0 < value <= 1]:
        return Finding(
            "part", f"{number(shares[0], 4)} est une part de 1 ; la question est en pour cent."
        )
    if isclose(yearly, availability_percent(DOWN_S), abs_tol=0.005):
        return Finding("periode", f"{_told(yearly)} %, ce serait pour 7,3 heures par mois.")
    if not isclose(yearly, YEARLY, abs_tol=0.006):
        near = isclose(yearly, YEARLY, abs_tol=0.02)
        verdict = "c’est presque cela" if near else "ce n’est pas cela"
        text = f"{_told(yearly)} % pour 7,3 heures par an : {verdict}."
        return Finding("centieme" if near else "an", text)
    if three >= 99.9:
        return Finding(
            "addition",
            f"{_told(three)} %, trois services à la suite feraient au moins aussi bien qu’un seul.",
        )
    if not isclose(three, THREE, abs_tol=0.006):
        return Finding(
            "suite", f"{_told(three)} % pour trois services à la suite : ce n’est pas cela."
        )
    return Finding(
        None,
        f"{_told(MINUTES)} minutes par mois, {_told(YEARLY)} % et {_told(THREE)} %. "
        "Chaque service de plus sur le chemin coûte de la disponibilité.",
    )


def _told(value: float) -> str:
    return number(round(value, 2), 2)
