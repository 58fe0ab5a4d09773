"""The lab `configuration` in French."""

from __future__ import annotations

from collections.abc import Mapping

from ..._french import NO_BREAK, seconds, typeset
from ...measure.recording import Recording
from .summary import ConfigurationSummary, ReadBy, WaySummary

WAYS: Mapping[ReadBy, str] = {
    ReadBy.ENV: "variable d’environnement",
    ReadBy.FILE: "fichier monté",
    ReadBy.SUBPATH: "fichier monté par subPath",
}
"""In the order of the chart."""

MARKS: Mapping[str, str] = {"change": "le ConfigMap change", "restart": "redémarrage"}


def delay(way: WaySummary) -> str:
    """Return when a way followed."""
    if way.followed_s is not None:
        return f"suit sans redémarrage, après {seconds(way.followed_s)}"
    if way.restarted_s is not None:
        return f"ne suit qu’après le redémarrage ({seconds(way.restarted_s)})"
    return "n’a jamais suivi"


def title(summary: ConfigurationSummary) -> str:
    """Return in one line what followed by itself."""
    followed = {way.way: way.followed_s for way in summary.ways if way.followed_s is not None}
    if list(followed) == [ReadBy.FILE]:
        return f"Sans redémarrage, seul le fichier monté suit, en {seconds(followed[ReadBy.FILE])}"
    names = ", ".join(f"{WAYS[way]} ({seconds(delay_s)})" for way, delay_s in followed.items())
    return f"Ont suivi sans redémarrage{NO_BREAK}: {names or 'aucune façon de lire le réglage'}"


def forecast(summary: ConfigurationSummary, provider: str) -> str:
    """Return the file's forecast delay, and whether it was kept."""
    low_s, high_s = summary.predicted_s
    kept = "dans l’intervalle" if summary.in_time else "en dehors"
    words = f"Prévu pour le fichier : entre {seconds(low_s)} et {seconds(high_s)} ({kept})."
    if provider == "embedded":
        words += " Raccourci ici : un kubelet ne relit un pod que toutes les 60 à 90 secondes."
    return typeset(words)


def alternative(recording: Recording, summary: ConfigurationSummary) -> str:
    """Return the figure's text alternative."""
    ways = " ; ".join(f"{WAYS[way.way]}{NO_BREAK}: {delay(way)}" for way in summary.ways)
    head = (
        f"Un réglage change dans un ConfigMap pendant que les pods tournent ({recording.where}), puis les "
        f"pods sont redémarrés {seconds(summary.watched_s)} plus tard."
    )
    return f"{head} {ways}. {forecast(summary, recording.provider)}"
