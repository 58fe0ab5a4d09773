"""What a rolling update will do, drawn from its forecast: one line a pod, before anything has happened."""

from __future__ import annotations

import matplotlib
from matplotlib.patches import Patch

from .._french import count, seconds
from ..forecasts.rollout import PodPlan, Rollout
from . import figure, style

_ROW_IN = 0.24
_AROUND_IN = 1.15
_WIDTH_IN = 9.0


def rollout(forecast: Rollout) -> figure.DescribedFigure:
    """Draw the lives of the pods that a forecast of a rolling update tells.

    Parameters
    ----------
    forecast : Rollout
        Of `forecasts.rollout.forecast`.
    """
    pods = forecast.pods
    end_s = max(forecast.duration_s[0] * 1.12, 0.5)
    with matplotlib.rc_context(style.RC):
        chart = figure.new(_WIDTH_IN, _AROUND_IN + _ROW_IN * len(pods))
        ax = chart.add_axes(
            (0.02, 0.62 / chart.get_figheight(), 0.96, 1 - _AROUND_IN / chart.get_figheight())
        )
        for row, pod in enumerate(pods):
            _draw(ax, row, pod, end_s)
        ax.set_xlim(0, end_s)
        ax.set_ylim(len(pods) - 0.4, -0.6)
        ax.set_yticks([])
        ax.spines["left"].set_visible(False)
        ax.set_xlabel("secondes depuis la mise à jour (au plus court)")
        handles = [
            Patch(facecolor=style.version_colour("v1"), label="ancien pod, prêt"),
            Patch(facecolor=style.version_colour("v2"), label="nouveau pod, prêt"),
            Patch(
                facecolor=style.lighter(style.version_colour("v2")),
                edgecolor=style.version_colour("v2"),
                hatch=style.STARTING_HATCH,
                label="nouveau pod, qui démarre",
            ),
        ]
        chart.legend(handles=handles, loc="upper center", ncols=3, bbox_to_anchor=(0.5, 1.0))
    chart.alternative = (
        f"Prévision d’un rolling update : {count(forecast.peak_pods, 'pod')} au plus, "
        f"{count(forecast.lowest_ready, 'pod prêt', 'pods prêts')} au moins, en {count(forecast.waves, 'vague')}, "
        f"{seconds(forecast.duration_s[0])} au plus court. Une ligne par pod : les anciens s’arrêtent à mesure que "
        "les nouveaux sont prêts."
    )
    return chart


def _draw(ax: matplotlib.axes.Axes, row: int, pod: PodPlan, end_s: float) -> None:
    colour = style.version_colour("v2" if pod.new else "v1")
    stop_s = end_s if pod.stopped_s is None else max(pod.stopped_s, 0.008 * end_s)
    if pod.ready_s > pod.created_s:
        ax.barh(
            row,
            pod.ready_s - pod.created_s,
            left=pod.created_s,
            height=0.72,
            facecolor=style.lighter(colour),
            edgecolor=colour,
            hatch=style.STARTING_HATCH,
            linewidth=0.6,
        )
    ax.barh(row, stop_s - pod.ready_s, left=pod.ready_s, height=0.72, color=colour)
