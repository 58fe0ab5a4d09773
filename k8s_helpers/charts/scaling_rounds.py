"""An autoscaler's looks, reckoned without a cluster: what the load asks for, and the pods that there will be."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib
from matplotlib.ticker import MaxNLocator

from .._french import count, number, seconds, typeset
from ..forecasts.autoscaling import Decision
from ..forecasts.scaling_rules import Autoscaler
from . import figure, style

_WIDTH_IN, _HEIGHT_IN = 9.0, 2.9


def scaling_rounds(
    made: Sequence[Decision], scaler: Autoscaler, sync_period_s: float
) -> figure.DescribedFigure:
    """Draw what the formula asks for and what is done of it, look after look.

    Parameters
    ----------
    made : sequence of Decision
        Of `forecasts.scaling_rounds.rounds`.
    scaler : Autoscaler
        Whose bounds are drawn.
    sync_period_s : float
        From one look to the next.
    """
    ends_s = made[-1].at_s + sync_period_s
    times = [*(one.at_s for one in made), ends_s]
    done = [one.desired for one in made]
    asked = [one.asked for one in made]
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
            [made[0].current, *done, done[-1]],
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
        ax.set_ylim(0, 1.15 * max(scaler.max_replicas, made[0].current, *done))
        ax.yaxis.set_major_locator(MaxNLocator(5, integer=True))
        ax.set_ylabel("pods")
        ax.set_xlabel("secondes depuis le premier regard de l’autoscaler")
        chart.legend(loc="upper center", ncols=4, bbox_to_anchor=(0.52, 1.0), fontsize=9.5)
    changes = [
        f"à {seconds(one.at_s)}, de {number(one.current)} à {number(one.desired)}"
        for one in made
        if one.desired != one.current
    ]
    chart.alternative = typeset(
        f"Décisions d’un autoscaler, calculées sans cluster, de {count(made[0].current, 'pod')} au départ à "
        f"{count(done[-1], 'pod')} après {seconds(made[-1].at_s)} : "
        f"{' ; '.join(changes) or 'aucun changement'}."
    )
    return chart
