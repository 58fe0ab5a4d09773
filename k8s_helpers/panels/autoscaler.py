"""The panel of slide 4.10: the autoscaler's formula with its figures, and what its next looks will decide."""

from __future__ import annotations

from .._french import count, number, seconds
from ..charts.scaling_rounds import scaling_rounds
from ..forecasts.scaling_rounds import LOADED_ROUNDS, Stretch, rounds, stretches
from ..forecasts.scaling_rules import DEFAULT_DOWN, DEFAULT_SYNC_PERIOD_S, Autoscaler, Rules
from . import panel

WINDOWS = (("0 s", 0), ("15 s", 15), ("60 s", 60), ("300 s (le défaut)", 300))
LATER = (("s’arrête presque (2 %)", 2), ("tombe de moitié", 50), ("reste", 100), ("double", 200))


def autoscaler(
    replicas: int = 1,
    percent: int = 175,
    target_percent: int = 50,
    min_replicas: int = 1,
    max_replicas: int = 6,
    tolerance_percent: int = 10,
    window_s: int = 300,
    later_percent: int = 2,
) -> panel.Panel:
    """Return the autoscaler's reckoning: how many pods now, and what its next looks change.

    Parameters
    ----------
    replicas : int
        Pods now, 1 to 20.
    percent : int
        What each uses now, in percent of its CPU request, 0 to 400.
    target_percent : int
        `averageUtilization`, 10 to 100.
    min_replicas, max_replicas : int
        Bounds, 1 to 20.
    tolerance_percent : int
        Distance to the target that changes nothing, 0 to 30.
    window_s : int
        `behavior.scaleDown.stabilizationWindowSeconds`, among `WINDOWS`.
    later_percent : int
        What is left of the load after a minute, among `LATER`.
    """
    controls = {
        "replicas": panel.integer("Pods maintenant", replicas, 1, 20),
        "percent": panel.integer("Mesure (% de requests)", percent, 0, 400, 5),
        "target_percent": panel.integer("Cible (% de requests)", target_percent, 10, 100, 5),
        "min_replicas": panel.integer("minReplicas", min_replicas, 1, 20),
        "max_replicas": panel.integer("maxReplicas", max_replicas, 1, 20),
        "tolerance_percent": panel.integer("Tolérance (%)", tolerance_percent, 0, 30),
        "window_s": panel.choice("Stabilisation (descente)", WINDOWS, window_s),
        "later_percent": panel.choice("Après une minute, la charge", LATER, later_percent),
    }
    return panel.Panel("Que va décider l’autoscaler ?", controls, render)


def render(
    replicas: int,
    percent: int,
    target_percent: int,
    min_replicas: int,
    max_replicas: int,
    tolerance_percent: int,
    window_s: int,
    later_percent: int,
) -> str:
    """Return the decisions as HTML: the first one in a sentence, the next ones as a drawing and a table."""
    if min_replicas > max_replicas:
        return (
            "<p><strong>✘ L’API refuse ce réglage</strong> : "
            f"minReplicas ({min_replicas}) dépasse maxReplicas ({max_replicas}).</p>"
        )
    scaler = Autoscaler(
        target_percent,
        min_replicas,
        max_replicas,
        down=Rules(DEFAULT_DOWN.policies, float(window_s)),
        tolerance=tolerance_percent / 100,
    )
    made = rounds(replicas, percent, scaler, later_percent)
    first = made[0]
    told = (
        f"<p>{first.words} → <strong>{count(first.desired, 'pod')} "
        f"{'au lieu de ' + number(replicas) if first.desired != replicas else ': rien ne change'}</strong>.</p>"
    )
    chart = scaling_rounds(made, scaler, DEFAULT_SYNC_PERIOD_S).to_html()
    rows = [
        [_when(one), number(one.decision.current), one.decision.words, number(one.decision.desired)]
        for one in stretches(made)
    ]
    caption = (
        f"Un regard toutes les {seconds(DEFAULT_SYNC_PERIOD_S)} ; la charge change au bout de "
        f"{seconds(LOADED_ROUNDS * DEFAULT_SYNC_PERIOD_S)}"
    )
    return told + chart + panel.table(caption, ["à", "pods", "calcul", "pods voulus"], rows)


def _when(one: Stretch) -> str:
    if one.first_s == one.last_s:
        return seconds(one.first_s)
    return f"{seconds(one.first_s)} à {seconds(one.last_s)}"
