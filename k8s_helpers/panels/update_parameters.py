"""The panel of slide 4.05: replicas, maxSurge, maxUnavailable and start-up time, and what the update will do."""

from __future__ import annotations

from .._errors import UsageError
from .._french import count, seconds
from ..charts.rollout import rollout
from ..forecasts.rollout import forecast
from . import panel

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
        found = forecast(replicas, surge, unavailable, startup_s)
    except UsageError as error:
        return f"<p>{error.found}</p>"
    low_s, high_s = found.duration_s
    told = (
        f"<p><strong>{count(found.peak_pods, 'pod')} au plus</strong> (ceux qui s’arrêtent ne comptent pas), "
        f"<strong>{count(found.lowest_ready, 'pod prêt', 'pods prêts')} au moins</strong>, "
        f"en {count(found.waves, 'vague')} : entre {seconds(low_s)} et {seconds(high_s)}.</p>"
    )
    return told + rollout(found).to_html()


def _value(text: str) -> int | str:
    return text if text.endswith("%") else int(text)
