"""The panel of slide 4.05: replicas, maxSurge, maxUnavailable and start-up time, and what the update will do."""

from __future__ import annotations

import matplotlib
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from .._errors import UsageError
from .._french import count, seconds
from ..draw import figure, style
from ..forecasts.rollout import PodPlan, Rollout, forecast
from . import panel

_ROW_IN = 0.24
_AROUND_IN = 1.15
_WIDTH_IN = 9.0

SHARES = ("0", "1", "2", "3", "25%", "50%", "100%")


def update_parameters(
    replicas: int = 3, max_surge: str = "25%", max_unavailable: str = "25%", startup_s: float = 3.0
) -> panel.Panel:
    """Return the settings of a rolling update with their prediction: most pods, fewest ready ones, duration.

    Parameters
    ----------
    replicas : int
        1 to 12.
    max_surge, max_unavailable : str
        Among `SHARES`.
    startup_s : float
        What the program takes before it answers, 0 to 60 s.
    """
    controls = {
        "replicas": panel.integer("replicas", replicas, 1, 12),
        "max_surge": panel.choice("maxSurge", SHARES, max_surge),
        "max_unavailable": panel.choice("maxUnavailable", SHARES, max_unavailable),
        "startup_s": panel.decimal("Démarrage (s)", startup_s, 0.0, 60.0, 0.5),
    }
    return panel.Panel("Que fera ce rolling update ?", controls, render)


def render(replicas: int, max_surge: str, max_unavailable: str, startup_s: float) -> str:
    """Return the prediction as HTML: sentences, then each pod's life."""
    surge, unavailable = _value(max_surge), _value(max_unavailable)
    if str(surge).strip("%") == "0" and str(unavailable).strip("%") == "0":
        return (
            "<p><strong>✘ L’API refuse ce réglage</strong> : avec maxSurge et maxUnavailable à zéro, "
            "rien ne pourrait jamais bouger. Mettez l’un des deux à 1 au moins.</p>"
        )
    try:
        rollout = forecast(replicas, surge, unavailable, startup_s)
    except UsageError as error:
        return f"<p>{error.found}</p>"
    low_s, high_s = rollout.duration_s
    sentence = (
        f"<p><strong>{count(rollout.peak_pods, 'pod')} au plus</strong> (ceux qui s’arrêtent ne comptent pas), "
        f"<strong>{count(rollout.lowest_ready, 'pod prêt', 'pods prêts')} au moins</strong>, "
        f"en {count(rollout.waves, 'vague')} : entre {seconds(low_s)} et {seconds(high_s)}.</p>"
    )
    return sentence + draw(rollout).to_html()


def _value(text: str) -> int | str:
    return text if text.endswith("%") else int(text)


def draw(rollout: Rollout) -> figure.DescribedFigure:
    """Draw the life of each pod as a forecast has it, before anything has happened."""
    pods = rollout.pods
    end_s = max(rollout.duration_s[0] * 1.12, 0.5)
    with matplotlib.rc_context(style.RC):
        chart = figure.new(_WIDTH_IN, _AROUND_IN + _ROW_IN * len(pods))
        ax = chart.add_axes(
            (0.02, 0.62 / chart.get_figheight(), 0.96, 1 - _AROUND_IN / chart.get_figheight())
        )
        for row, pod in enumerate(pods):
            _bars(ax, row, pod, end_s)
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
        f"Prévision d’un rolling update : {count(rollout.peak_pods, 'pod')} au plus, "
        f"{count(rollout.lowest_ready, 'pod prêt', 'pods prêts')} au moins, en {count(rollout.waves, 'vague')}, "
        f"{seconds(rollout.duration_s[0])} au plus court. Une ligne par pod : les anciens s’arrêtent à mesure que "
        "les nouveaux sont prêts."
    )
    return chart


def _bars(ax: Axes, row: int, pod: PodPlan, end_s: float) -> None:
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
