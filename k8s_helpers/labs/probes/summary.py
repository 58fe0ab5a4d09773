"""What probes did to one container and to its clients, beside what its manifest let foresee."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ...analysis.outcomes import failed as failures
from ...analysis.pods import instants
from ...analysis.story import Story, plain
from ...forecasts.span import SLACK_S, Span
from ...measure.recording import Recording, Request, Run
from .codes import Loss, Moment

CUT = "cut"
"""Parameter of a run that was ended in a restart loop."""
GOING_ON = "going_on"
"""Parameter of a run that is not over: what a live chart is drawn from."""
PROGRAMMING_S = 1.5
"""How long a Service may take to lead to a pod that has just become ready."""


@dataclass(frozen=True, slots=True)
class ProbeFacts:
    """What a run was made with: its probes by kind, what its manifest let foresee, how it ended.

    Attributes
    ----------
    predicted_ready, predicted_kill : Span or None
        None for never.
    stand_in : str
        Why a program in Python stands in for the Java one, in French; empty where none does.
    """

    probes: tuple[str, ...]
    predicted_ready: Span | None
    predicted_kill: Span | None
    cut: bool
    going_on: bool
    stand_in: str

    @classmethod
    def of(cls, run: Run) -> ProbeFacts:
        """Read a run's parameters."""
        ready, kill = (
            None if span is None else Span(*span)
            for span in (
                run.parameters.get(name) for name in ("predicted_ready_s", "predicted_kill_s")
            )
        )
        return cls(
            tuple(run.parameters.get("probes", ())),
            ready,
            kill,
            bool(run.parameters.get(CUT)),
            bool(run.parameters.get(GOING_ON)),
            str(run.parameters.get("stand_in", "")),
        )


@dataclass(frozen=True, slots=True)
class ProbesSummary:
    """One variant: what was foreseen and what was measured, in seconds after the start of the container.

    Attributes
    ----------
    variant : str
        Name of the run.
    started_s : float
        When the container first started, on the run's clock; 0 where it never did.
    listening_s, answering_s : float or None
        When the program opened its port, and when its own start was over, as its log says.
    predicted_ready, predicted_kill : Span or None
        None for never.
    ready_s, kill_s : float or None
        When the pod was first Ready, and when the kubelet first decided to kill the container for a probe.
    kills_s : tuple of float
        All such decisions.
    sent : int
        Requests that left.
    losses : mapping of Loss to int
        Those whose client did not get the page it came for, by what it got. Every variant's are counted so.
    once_ready : int
        Those of them that were due once the Service led to a ready pod.
    first_failed_s, last_failed_s : float or None
        When the first and the last of the lost ones were due.
    restarts : int
        Of the container.
    going_on : bool
        The measure is not over: what has not come yet may still come.
    """

    variant: str
    started_s: float
    listening_s: float | None
    answering_s: float | None
    predicted_ready: Span | None
    predicted_kill: Span | None
    ready_s: float | None
    kill_s: float | None
    kills_s: tuple[float, ...]
    sent: int
    losses: Mapping[Loss, int]
    once_ready: int
    first_failed_s: float | None
    last_failed_s: float | None
    restarts: int
    going_on: bool = False

    @property
    def failed(self) -> int:
        """Lost requests in all."""
        return sum(self.losses.values())

    @property
    def ready_as_predicted(self) -> bool:
        """Whether the instant of Ready (or that it never came) was foreseen."""
        return _as_predicted(self.predicted_ready, self.ready_s)

    @property
    def kill_as_predicted(self) -> bool:
        """Whether the first kill (or that there was none) was foreseen."""
        return _as_predicted(self.predicted_kill, self.kill_s)

    @property
    def as_predicted(self) -> bool:
        """Whether both were."""
        return self.ready_as_predicted and self.kill_as_predicted

    @property
    def order(self) -> str:
        """What happened, in the order in which it did: "listening < ready"."""
        instants = (
            (self.listening_s, Moment.LISTENING),
            (self.ready_s, Moment.READY),
            (self.kill_s, Moment.KILL),
        )
        came = [(at_s, moment) for at_s, moment in instants if at_s is not None]
        return " < ".join(moment for _, moment in sorted(came))

    def to_plain(self) -> dict[str, Any]:
        """Return the entry of `summary.json` for this variant."""
        predicted = self.predicted_ready
        return {
            "predicted_ready_s": predicted and predicted.to_plain(),
            **plain(self, "ready_s", "first_failed_s", "failed", "restarts"),
        }


def summarize(run: Run) -> ProbesSummary:
    """Compute what became of one variant."""
    facts = ProbeFacts.of(run)
    started_s = _started(run)
    endpoints_s = next((event.at_s for event in run.endpoints if event.ready), None)
    lost = sorted(failures(run.requests), key=lambda request: request.planned_s)
    promised_s = _promised(run, endpoints_s, going_on=facts.going_on)
    kills_s = tuple(
        event.at_s - started_s
        for event in run.events
        if event.reason == "Killing" and " probe" in event.message
    )
    ready_s = next(iter(instants(run, "ready")), None)
    return ProbesSummary(
        variant=run.name,
        started_s=started_s,
        listening_s=_after(_mark(run, Moment.LISTENING), started_s),
        answering_s=_after(_mark(run, Moment.ANSWERING), started_s),
        predicted_ready=facts.predicted_ready,
        predicted_kill=facts.predicted_kill,
        ready_s=_after(ready_s, started_s),
        kill_s=kills_s[0] if kills_s else None,
        kills_s=kills_s,
        sent=sum(request.error != "unsent" for request in run.requests),
        losses=Counter(map(loss, lost)),
        once_ready=sum(
            promised_s is not None and request.planned_s >= promised_s for request in lost
        ),
        first_failed_s=_due(lost, 0, started_s),
        last_failed_s=_due(lost, -1, started_s),
        restarts=len(instants(run, "restarted")),
        going_on=facts.going_on,
    )


def loss(request: Request) -> Loss:
    """Name what the client of a lost request got: only the program itself tells the name of its pod."""
    if request.error == "content":
        return Loss.EMPTY
    return Loss.ERROR if request.error == "status" and request.pod else Loss.SILENCE


def spread_s(runs: Sequence[Run]) -> float:
    """Return how long after the first variant the last one was applied."""
    instants = [
        datetime.fromisoformat(run.started_at).timestamp() + mark.at_s
        for run in runs
        if (mark := run.mark(Moment.APPLY)) is not None
    ]
    return max(instants, default=0.0) - min(instants, default=0.0)


def _started(run: Run) -> float:
    """Return when the container first started: as the experiment found it, or as the watch showed it."""
    mark_s = _mark(run, Moment.CONTAINER)
    return next(iter(instants(run, "started")), 0.0) if mark_s is None else mark_s


def _mark(run: Run, moment: Moment) -> float | None:
    mark = run.mark(moment)
    return None if mark is None else mark.at_s


def _promised(run: Run, endpoints_s: float | None, *, going_on: bool) -> float | None:
    """Return from when the Service led to a ready pod; None for never, or not for sure yet.

    The proxies take a moment to learn of it: where answers begin within that moment, they are what counts.
    """
    if endpoints_s is None:
        return None
    since = [request for request in run.requests if request.planned_s >= endpoints_s]
    answers = [request.planned_s for request in since if request.ok]
    last_s = max((request.planned_s for request in since), default=endpoints_s)
    if going_on and not answers and last_s - endpoints_s <= PROGRAMMING_S:
        return None
    first_s = min(answers, default=endpoints_s)
    return first_s if first_s - endpoints_s <= PROGRAMMING_S else endpoints_s


def _after(at_s: float | None, started_s: float) -> float | None:
    return None if at_s is None else at_s - started_s


def _due(requests: list[Request], index: int, started_s: float) -> float | None:
    return requests[index].planned_s - started_s if requests else None


def _as_predicted(predicted: Span | None, measured_s: float | None) -> bool:
    if predicted is None or measured_s is None:
        return predicted is None and measured_s is None
    return predicted.holds(measured_s, SLACK_S)


def to_json(recording: Recording) -> dict[str, Any]:
    """Return the variants, and the kills and losses that the contract's rows have no place for."""
    summaries = [summarize(run) for run in recording.runs]
    return {
        "variants": {summary.variant: summary.to_plain() for summary in summaries},
        "kills": {
            summary.variant: {
                "predicted_first_s": summary.predicted_kill and summary.predicted_kill.to_plain(),
                "measured_s": [round(at_s, 3) for at_s in summary.kills_s],
            }
            for summary in summaries
        },
        "clients": {
            summary.variant: {
                "sent": summary.sent,
                **{kind: summary.losses.get(kind, 0) for kind in Loss},
                "once_ready": summary.once_ready,
            }
            for summary in summaries
        },
        "as_predicted": all(summary.as_predicted for summary in summaries),
    }


def to_story(recording: Recording) -> Story:
    """Return what becomes of the variants wherever they are measured."""
    summaries = {run.name: summarize(run) for run in recording.runs}
    asked = {run.name for run in recording.runs if "readiness" in ProbeFacts.of(run).probes}
    return Story.of(
        {
            name: {
                "becomes-ready": summary.ready_s is not None,
                "restarts": summary.restarts,
                "loses-requests-once-ready": summary.once_ready > 0,
                "answers-without-data": summary.losses.get(Loss.EMPTY, 0) > 0,
                "as-predicted": summary.as_predicted,
                "order": summary.order,
            }
            for name, summary in summaries.items()
        },
        {
            name: {
                Moment.READY: summary.ready_s if name in asked else None,
                Moment.KILL: summary.kill_s,
            }
            for name, summary in summaries.items()
        },
    )
