"""What updating a slow program did to its clients, beside what its manifest let foresee."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...analysis.outcomes import failed
from ...analysis.story import Story, plain
from ...analysis.updates import UpdateSummary
from ...analysis.updates import summarize as summarize_update
from ...forecasts.span import SLACK_S, Span
from ...measure.recording import Recording, Run


@dataclass(frozen=True, slots=True)
class SlowUpdateSummary:
    """One way of probing the program that is updated.

    Attributes
    ----------
    variant : str
        Name of the run: "no-probe" or "readiness".
    update : UpdateSummary
        The numbers that any update has.
    errors_s : float
        From the first lost request to the last one; 0 where none was lost.
    after_s : float
        How long clients went on getting errors once the Deployment said that the update was done.
    predicted_duration, predicted_errors : Span
        What the manifest let foresee of the update's duration, and of `errors_s`.
    """

    variant: str
    update: UpdateSummary
    errors_s: float
    after_s: float
    predicted_duration: Span
    predicted_errors: Span

    @property
    def as_predicted(self) -> bool:
        """Whether errors and duration are what had to come."""
        duration_s = self.update.duration_s
        none = self.predicted_errors.hi_s == 0
        errors = (
            not self.update.failed if none else self.predicted_errors.holds(self.errors_s, SLACK_S)
        )
        return (
            errors and duration_s is not None and self.predicted_duration.holds(duration_s, SLACK_S)
        )


def summarize(run: Run) -> SlowUpdateSummary:
    """Compute what one update of the slow program did."""
    lost_s = [request.planned_s for request in failed(run.requests)]
    complete = run.mark("complete")
    done_s = complete.at_s if complete else run.ended_s
    return SlowUpdateSummary(
        variant=run.name,
        update=summarize_update(run),
        errors_s=max(lost_s) - min(lost_s) if lost_s else 0.0,
        after_s=max(0.0, max(lost_s) - done_s) if lost_s else 0.0,
        predicted_duration=Span(*run.parameters["predicted_duration_s"]),
        predicted_errors=Span(*run.parameters["predicted_errors_s"]),
    )


def to_json(recording: Recording) -> dict[str, Any]:
    """Return what `summary.json` tells of each variant."""
    return {"variants": {run.name: _to_plain(summarize(run)) for run in recording.runs}}


def _to_plain(variant: SlowUpdateSummary) -> dict[str, Any]:
    return {
        "predicted_errors_s": variant.predicted_errors.to_plain(),
        "errors_s": round(variant.errors_s, 3),
        "predicted_duration_s": variant.predicted_duration.to_plain(),
        "errors_after_done_s": round(variant.after_s, 3),
        **plain(variant.update, "duration_s", "requests", "failed", "outage_s"),
    }


def to_story(recording: Recording) -> Story:
    """Return what an update of the slow program must tell wherever it is measured."""
    variants = [summarize(run) for run in recording.runs]
    return Story.of(
        {
            variant.variant: {
                "loses-requests": variant.update.failed > 0,
                "done-before-errors-end": variant.after_s > SLACK_S,
                "as-predicted": variant.as_predicted,
            }
            for variant in variants
        },
        {
            variant.variant: {
                "errors": variant.errors_s,
                "duration": variant.update.duration_s or 0.0,
            }
            for variant in variants
        },
    )
