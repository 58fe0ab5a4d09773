"""What a probe that begins to fail changes: who leaves the Service, who is restarted, and when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..forecasts.span import Span
from ..recording import Recording, Run
from .outcomes import failed
from .pods import lives
from .probes import SLACK_S
from .story import Story


@dataclass(frozen=True, slots=True)
class BreakSummary:
    """What became of the pod whose probe was broken, in seconds after the break.

    Attributes
    ----------
    probe : str
        Name of the run: "readiness" or "liveness".
    predicted : Span
        When enough failures in a row must have come.
    decided_s : float or None
        When the kubelet drew the consequence: not ready any more, or killed.
    left_s : float or None
        When the pod left the endpoints of its Service.
    back_s : float or None
        When it was among them again, after the repair or by the restart itself.
    restarts : int
        Of its container.
    failed : int
        Requests that clients lost.
    """

    probe: str
    predicted: Span
    decided_s: float | None
    left_s: float | None
    back_s: float | None
    restarts: int
    failed: int

    @property
    def as_predicted(self) -> bool:
        """Whether the consequence came when it had to."""
        return self.decided_s is not None and self.predicted.holds(self.decided_s, SLACK_S)

    def to_plain(self) -> dict[str, Any]:
        """Return the entry of `summary.json`."""
        instants = {"decided_s": self.decided_s, "left_s": self.left_s, "back_s": self.back_s}
        return {
            "predicted_s": self.predicted.to_plain(),
            **{name: None if at_s is None else round(at_s, 3) for name, at_s in instants.items()},
            "restarts": self.restarts,
            "failed": self.failed,
        }


def break_summary(run: Run) -> BreakSummary:
    """Compute what one broken probe changed."""
    mark = run.mark("break")
    broken_s = mark.at_s if mark else 0.0
    pod = mark.detail if mark else ""
    if run.name == "liveness":
        decisions = (one.at_s for one in run.events if one.reason == "Killing" and one.name == pod)
    else:
        decisions = (one.at_s for one in run.pods if one.kind == "unready" and one.pod == pod)
    left_s = _next((one.at_s, pod not in one.ready) for one in run.endpoints if one.at_s > broken_s)
    back_s = _next(
        (one.at_s, pod in one.ready)
        for one in run.endpoints
        if left_s is not None and one.at_s > left_s
    )
    decided_s = min((at_s for at_s in decisions if at_s > broken_s), default=None)
    return BreakSummary(
        probe=run.name,
        predicted=Span(*run.parameters["predicted_s"]),
        decided_s=None if decided_s is None else decided_s - broken_s,
        left_s=None if left_s is None else left_s - broken_s,
        back_s=None if back_s is None else back_s - broken_s,
        restarts=sum(life.restarts for life in lives(run)),
        failed=len(failed(run.requests)),
    )


def _next(found: Any) -> float | None:
    return next((at_s for at_s, wished in found if wished), None)


def broken_probes_json(recording: Recording) -> dict[str, Any]:
    """Return what `summary.json` tells of the broken probes."""
    return {"probes": {run.name: break_summary(run).to_plain() for run in recording.runs}}


def broken_probes_story(recording: Recording) -> Story:
    """Return what a broken probe must change wherever it is measured."""
    verdicts: dict[str, object] = {}
    durations: dict[str, float] = {}
    for run in recording.runs:
        found = break_summary(run)
        verdicts[f"{run.name} : relances"] = found.restarts
        verdicts[f"{run.name} : quitte le Service"] = found.left_s is not None
        verdicts[f"{run.name} : y revient"] = found.back_s is not None
        verdicts[f"{run.name} : comme prévu"] = found.as_predicted
    return Story(verdicts, durations)
