"""The panel of slide 4.10: the autoscaler's formula with its figures, and what its next looks will decide."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib
from matplotlib.ticker import MaxNLocator

from .._autoscaler import KUBERNETES
from .._french import count, number, seconds, typeset
from ..draw import figure, style
from ..forecasts.autoscaling import DEFAULT_DOWN, Autoscaler, Decision, Rules
from ..forecasts.autoscaling_course import LOADED_S, Stretch, rounds, stretches
from . import panel

_WIDTH_IN, _HEIGHT_IN = 9.0, 2.9

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
    decisions = rounds(replicas, percent, scaler, later_percent)
    first = decisions[0]
    sentence = (
        f"<p>{first.words} → <strong>{count(first.desired, 'pod')} "
        f"{'au lieu de ' + number(replicas) if first.desired != replicas else ': rien ne change'}</strong>.</p>"
    )
    chart = _draw(decisions, scaler, KUBERNETES.sync_period_s).to_html()
    rows = [_row(stretch) for stretch in stretches(decisions)]
    caption = (
        f"Un regard toutes les {seconds(KUBERNETES.sync_period_s)} ; la charge change au bout de "
        f"{seconds(LOADED_S)}"
    )
    return sentence + chart + panel.table(caption, ["à", "pods", "calcul", "pods voulus"], rows)


def _row(stretch: Stretch) -> list[str]:
    when = seconds(stretch.first_s)
    if stretch.first_s != stretch.last_s:
        when += f" à {seconds(stretch.last_s)}"
    decision = stretch.decision
    return [when, number(decision.current), decision.words, number(decision.desired)]


def _draw(
    decisions: Sequence[Decision], scaler: Autoscaler, sync_period_s: float
) -> figure.DescribedFigure:
    """Draw what the formula asks for and what is done of it, look after look, within the bounds."""
    ends_s = decisions[-1].at_s + sync_period_s
    times = [*(decision.at_s for decision in decisions), ends_s]
    done = [decision.desired for decision in decisions]
    asked = [decision.asked for decision in decisions]
    with matplotlib.rc_context(style.RC):
        chart = figure.new(_WIDTH_IN, _HEIGHT_IN)
        ax = chart.add_axes((0.07, 0.2, 0.91, 0.62))
        ax.stairs(
            asked,
            times,
            fill=True,
            color=style.lighter(style.BLUE, 0.6),
            label="ce que donne la formule",
        )
        ax.step(
            [-sync_period_s, *times],
            [decisions[0].current, *done, done[-1]],
            where="post",
            color=style.INK,
            linewidth=2.4,
            label="pods",
        )
        for bound, name, look in (
            (scaler.max_replicas, "maxReplicas", "--"),
            (scaler.min_replicas, "minReplicas", ":"),
        ):
            ax.axhline(bound, color=style.VERMILION, linestyle=look, linewidth=1.3, label=name)
        ax.set_xlim(-sync_period_s, ends_s)
        ax.set_ylim(0, 1.15 * max(scaler.max_replicas, decisions[0].current, *done))
        ax.yaxis.set_major_locator(MaxNLocator(5, integer=True))
        ax.set_ylabel("pods")
        ax.set_xlabel("secondes depuis le premier regard de l’autoscaler")
        chart.legend(loc="upper center", ncols=4, bbox_to_anchor=(0.52, 1.0), fontsize=9.5)
    changes = [
        f"à {seconds(decision.at_s)}, de {number(decision.current)} à {number(decision.desired)}"
        for decision in decisions
        if decision.desired != decision.current
    ]
    chart.alternative = typeset(
        f"Décisions d’un autoscaler, calculées sans cluster, de {count(decisions[0].current, 'pod')} au départ à "
        f"{count(done[-1], 'pod')} après {seconds(decisions[-1].at_s)} : "
        f"{' ; '.join(changes) or 'aucun changement'}."
    )
    return chart
