"""An update of a slow program with and without readiness, side by side: what clients got, what the pods did."""

from __future__ import annotations

from collections.abc import Mapping

from ...draw import columns, figure, style
from ...draw.words import predicted
from ...measure.recording import Recording
from . import words

_BADGE = 0.89
"""Below the legend, which takes the whole width."""


def draw(
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
    roomy = any(predicted(predictions, run.name) for run in runs)
    heads = [words.head(run, predictions, roomy=roomy) for run in runs]
    chart = columns.draw(runs, columns.ROLLOUT, heads, columns.rollout_handles(runs), named_row=1)
    style.stand_in_badge(chart, runs, _BADGE)
    chart.alternative = words.alternative(recording, heads)
    return chart
