"""An update of a slow program with and without readiness, side by side: what clients got, what the pods did."""

from __future__ import annotations

from collections.abc import Mapping

from .._french import count, number, seconds, typeset
from ..recording import Recording, Run
from ..timeline.slow_update import SlowUpdateSummary, slow_update_summary
from . import columns, figure, style, words
from .update import NAMED_ROW, ROWS, handles

_BADGE = 0.89
"""Below the legend, which takes the whole width."""

TITLES: Mapping[str, str] = {"no-probe": "Sans sonde", "readiness": "Avec une readiness"}


def slow_update(
    recording: Recording, *, predictions: Mapping[str, object] | None = None
) -> figure.DescribedFigure:
    """Draw each variant in a column of its own: requests, lives of pods, how many are ready.

    Parameters
    ----------
    recording : Recording
        Of the experiment "slow_update".
    predictions : mapping, optional
        Seconds of errors that the student predicted, by variant.

    Raises
    ------
    RecordingError
        Where the recording holds no run.
    """
    runs = figure.runs_of(recording, "la mise à jour du programme lent")
    roomy = any(words.predicted(predictions, run.name) for run in runs)
    heads = [_head(run, predictions, roomy=roomy) for run in runs]
    chart = columns.draw(runs, ROWS, heads, handles(runs), named_row=NAMED_ROW)
    style.stand_in_badge(chart, runs, _BADGE)
    chart.alternative = typeset(
        f"{count(len(runs), 'mise à jour', 'mises à jour')} d’un programme lent sous trafic, au même instant, "
        f"{recording.where}. " + columns.sentences(heads, " ; ")
    )
    return chart


def _head(run: Run, predictions: Mapping[str, object] | None, *, roomy: bool) -> columns.Head:
    found = slow_update_summary(run)
    guess = words.predicted(predictions, run.name)
    return columns.Head(
        TITLES.get(run.name, run.name),
        _verdict(found),
        found.update.failed > 0,
        tuple(
            typeset(line)
            for line in (
                *([f"{guess} s" if guess else ""] if roomy else []),
                f"erreurs prévues : {_span(found)}",
                _done(found),
            )
        ),
    )


def _verdict(found: SlowUpdateSummary) -> str:
    if not found.update.failed:
        return "aucune erreur"
    lost = f"{number(found.update.failed)} sur {number(found.update.requests)}"
    return f"des erreurs pendant {seconds(found.errors_s)} ({lost})"


def _span(found: SlowUpdateSummary) -> str:
    return "aucune" if found.predicted_errors.hi_s == 0 else found.predicted_errors.words()


def _done(found: SlowUpdateSummary) -> str:
    if found.update.duration_s is None:
        return "mise à jour jamais finie"
    told = f"rollout terminé après {seconds(found.update.duration_s)}"
    return f"{told} (prévu {found.predicted_duration.words()})"
