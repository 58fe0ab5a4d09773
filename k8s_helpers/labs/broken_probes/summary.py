"""What a probe that begins to fail changes: who leaves the Service, who is restarted, and when."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from ...analysis.outcomes import failed
from ...analysis.probe_failure import Consequences, consequences
from ...analysis.story import Story, plain
from ...forecasts.span import SLACK_S, Span
from ...measure.recording import Recording, Run
from .codes import APP, BreakMark


@dataclass(frozen=True, slots=True)
class BreakSummary(Consequences):
    """What became of the pod whose probe was broken.

    Attributes
    ----------
    probe : str
        Name of the run: "readiness" or "liveness".
    predicted : Span
        When enough failures in a row must have come.
    failed : int
        Requests that clients lost.
    """

    probe: str
    predicted: Span
    failed: int

    @property
    def decided_s(self) -> float | None:
        """When the kubelet drew the consequence: not ready any more, or killed."""
        return self.killing_s if self.probe == "liveness" else self.unready_s

    @property
    def as_predicted(self) -> bool:
        """Whether the consequence came when it had to."""
        return self.decided_s is not None and self.predicted.holds(self.decided_s, SLACK_S)

    def to_plain(self) -> dict[str, Any]:
        """Return the entry of `summary.json`."""
        predicted = {"predicted_s": self.predicted.to_plain()}
        return predicted | plain(self, "decided_s", "left_s", "back_s", "restarts", "failed")


def summarize(run: Run) -> BreakSummary:
    """Compute what one broken probe changed."""
    mark = run.mark(BreakMark.BREAK)
    broken_s, pod = (mark.at_s, mark.detail) if mark else (0.0, "")
    return BreakSummary(
        **asdict(consequences(run, APP, pod, broken_s)),
        probe=run.name,
        predicted=Span(*run.parameters["predicted_s"]),
        failed=len(failed(run.requests)),
    )


def to_json(recording: Recording) -> dict[str, Any]:
    """Return what each broken probe changed, and when."""
    return {"probes": {run.name: summarize(run).to_plain() for run in recording.runs}}


def to_story(recording: Recording) -> Story:
    """Return what a broken probe must change wherever it is measured."""
    summaries = [summarize(run) for run in recording.runs]
    return Story.of(
        {
            summary.probe: {
                "restarts": summary.restarts,
                "leaves-the-service": summary.left_s is not None,
                "comes-back": summary.back_s is not None,
                "as-predicted": summary.as_predicted,
            }
            for summary in summaries
        },
        {},
    )
