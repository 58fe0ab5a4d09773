"""What updating a slow program did to its clients, beside what its manifest let foresee."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..forecasts.span import Span
from ..recording import Recording, Run
from .outcomes import failed
from .probes import SLACK_S
from .story import Story
from .update import UpdateSummary, update_summary


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

    def to_plain(self) -> dict[str, Any]:
        """Return the entry of `summary.json`."""
        plain = self.update.to_plain()
        return {
            "predicted_errors_s": self.predicted_errors.to_plain(),
            "errors_s": round(self.errors_s, 3),
            "predicted_duration_s": self.predicted_duration.to_plain(),
            "duration_s": plain["duration_s"],
            "errors_after_done_s": round(self.after_s, 3),
            "requests": plain["requests"],
            "failed": plain["failed"],
            "outage_s": plain["outage_s"],
        }


def slow_update_summary(run: Run) -> SlowUpdateSummary:
    """Compute what one update of the slow program did."""
    lost = [one.planned_s for one in failed(run.requests)]
    complete = run.mark("complete")
    done_s = complete.at_s if complete else run.ended_s
    return SlowUpdateSummary(
        variant=run.name,
        update=update_summary(run),
        errors_s=max(lost) - min(lost) if lost else 0.0,
        after_s=max(0.0, max(lost) - done_s) if lost else 0.0,
        predicted_duration=Span(*run.parameters["predicted_duration_s"]),
        predicted_errors=Span(*run.parameters["predicted_errors_s"]),
    )


def slow_update_json(recording: Recording) -> dict[str, Any]:
    """Return what `summary.json` tells of each variant."""
    found = {run.name: slow_update_summary(run).to_plain() for run in recording.runs}
    return {"variants": found}


def slow_update_story(recording: Recording) -> Story:
    """Return what an update of the slow program must tell wherever it is measured."""
    verdicts: dict[str, object] = {}
    durations: dict[str, float] = {}
    for run in recording.runs:
        found = slow_update_summary(run)
        verdicts[f"{run.name} : perd des requêtes"] = found.update.failed > 0
        verdicts[f"{run.name} : finie avant la fin des erreurs"] = found.after_s > SLACK_S
        verdicts[f"{run.name} : comme prévu"] = found.as_predicted
        durations[f"{run.name} : erreurs"] = found.errors_s
        durations[f"{run.name} : durée"] = found.update.duration_s or 0.0
    return Story(verdicts, durations)
