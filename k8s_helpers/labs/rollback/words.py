"""What the chart of bad versions says, in French."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..._french import count, seconds, typeset
from ...draw.columns import Head, sentences
from ...measure.recording import Recording
from .summary import RollbackSummary

TITLES: Mapping[str, str] = {
    "never-ready": "Jamais prête",
    "crash": "S’arrête au démarrage",
    "no-probe": "Mauvais port, sans sonde",
}


def head(summary: RollbackSummary) -> Head:
    """Return title and verdict of a column."""
    verdict = f"{count(summary.failed, 'requête')} {'perdue' if summary.failed < 2 else 'perdues'}"
    old = f"{count(summary.old_left, 'ancien pod parti', 'anciens pods partis')}"
    bad = f"{count(summary.bad_ready, 'pod v2 jugé prêt', 'pods v2 jugés prêts')}"
    back = (
        "retour jamais fini"
        if summary.back_s is None
        else f"retour fini en {seconds(summary.back_s)}"
    )
    silence = f" · {seconds(summary.outage_s)} sans réponse" if summary.outage_s else ""
    return Head(
        TITLES.get(summary.version, summary.version),
        verdict,
        summary.failed > 0,
        (f"{bad} · {old}", f"{back}{silence}"),
    )


def alternative(recording: Recording, heads: Sequence[Head]) -> str:
    """Return the chart's text alternative."""
    return typeset(
        f"{count(len(heads), 'mauvaise version déployée', 'mauvaises versions déployées')} sous trafic, puis "
        f"kubectl rollout undo, {recording.where}. " + sentences(heads)
    )
