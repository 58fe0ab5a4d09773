"""What the chart of a slow update says, in French."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..._french import count, number, seconds, typeset
from ...draw.columns import Head, sentences
from ...draw.words import predicted
from ...measure.recording import Recording, Run
from .summary import SlowUpdateSummary, summarize

TITLES: Mapping[str, str] = {"no-probe": "Sans sonde", "readiness": "Avec une readiness"}


def head(run: Run, predictions: Mapping[str, object] | None, *, roomy: bool) -> Head:
    """Return title and verdict of a column; `roomy` keeps a line for predictions, so that titles stay level."""
    variant = summarize(run)
    guess = predicted(predictions, run.name)
    return Head(
        TITLES.get(run.name, run.name),
        _verdict(variant),
        variant.update.failed > 0,
        tuple(
            typeset(line)
            for line in (
                *([f"{guess} s" if guess else ""] if roomy else []),
                f"erreurs prévues : {_span(variant)}",
                _done(variant),
            )
        ),
    )


def _verdict(variant: SlowUpdateSummary) -> str:
    if not variant.update.failed:
        return "aucune erreur"
    lost = f"{number(variant.update.failed)} sur {number(variant.update.requests)}"
    return f"des erreurs pendant {seconds(variant.errors_s)} ({lost})"


def _span(variant: SlowUpdateSummary) -> str:
    return "aucune" if variant.predicted_errors.hi_s == 0 else variant.predicted_errors.words()


def _done(variant: SlowUpdateSummary) -> str:
    if variant.update.duration_s is None:
        return "mise à jour jamais finie"
    done = f"rollout terminé après {seconds(variant.update.duration_s)}"
    return f"{done} (prévu {variant.predicted_duration.words()})"


def alternative(recording: Recording, heads: Sequence[Head]) -> str:
    """Return the chart's text alternative."""
    return typeset(
        f"{count(len(heads), 'mise à jour', 'mises à jour')} d’un programme lent sous trafic, au même instant, "
        f"{recording.where}. " + sentences(heads, " ; ")
    )
