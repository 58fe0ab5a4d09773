"""What probes did to one container and to its clients, beside what its manifest let foresee."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..forecasts.span import Span
from ..recording import Recording, Request, Run
from .pods import lives
from .story import Story

SLACK_S = 1.0
"""What a measured instant may be outside its predicted interval: the API's times are whole seconds."""
GOING_ON = "going_on"
"""Parameter of a run that is not over: what a live chart is drawn from."""
PROGRAMMING_S = 1.5
"""How long a Service may take to lead to a pod that has just become ready."""


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
    endpoints_s : float or None
        When the Service first had the pod behind it.
    requests, waiting, failed : int
        Requests that were due; lost ones of before the Service led to a ready pod; lost ones of after, or all of them
        where the wait had no end.
    first_failed_s, last_failed_s : float or None
        When the first and the last of the failed ones were due.
    restarts : int
        Of the container.
    going_on : bool
        The measure is not over: what has not come yet may still come, and clients wait where nobody was ever ready.
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
    endpoints_s: float | None
    requests: int
    waiting: int
    failed: int
    first_failed_s: float | None
    last_failed_s: float | None
    restarts: int
    going_on: bool = False

    @property
    def ready_as_predicted(self) -> bool:
        """Whether the instant of Ready (or that it never came) was foreseen."""
        return _as_predicted(self.predicted_ready, self.ready_s)

    @property
    def kill_as_predicted(self) -> bool:
        """Whether the first kill (or that there was none) was foreseen."""
        return _as_predicted(self.predicted_kill, self.kill_s)

    def to_plain(self) -> dict[str, Any]:
        """Return the entry of `summary.json` for this variant."""
        predicted = self.predicted_ready
        return {
            "predicted_ready_s": None if predicted is None else predicted.to_plain(),
            "ready_s": _rounded(self.ready_s),
            "first_failed_s": _rounded(self.first_failed_s),
            "failed": self.failed,
            "restarts": self.restarts,
        }


def probes_summary(run: Run) -> ProbesSummary:
    """Compute what became of one variant."""
    started_s = _started(run)
    endpoints_s = next((one.at_s for one in run.endpoints if one.ready), None)
    lost = sorted(
        (one for one in run.requests if not one.ok and one.error != "unsent"),
        key=lambda one: one.planned_s,
    )
    promised_s = _promised(run, endpoints_s)
    going_on = bool(run.parameters.get(GOING_ON))
    since_s = promised_s if promised_s is not None else math.inf if going_on else -math.inf
    failed = [one for one in lost if one.planned_s >= since_s]
    kills_s = tuple(
        one.at_s - started_s
        for one in run.events
        if one.reason == "Killing" and " probe" in one.message
    )
    ready_s = next((one.at_s for one in run.pods if one.kind == "ready"), None)
    return ProbesSummary(
        variant=run.name,
        started_s=started_s,
        listening_s=_after(_mark(run, "listening"), started_s),
        answering_s=_after(_mark(run, "answering"), started_s),
        predicted_ready=_span(run, "predicted_ready_s"),
        predicted_kill=_span(run, "predicted_kill_s"),
        ready_s=_after(ready_s, started_s),
        kill_s=kills_s[0] if kills_s else None,
        kills_s=kills_s,
        endpoints_s=_after(endpoints_s, started_s),
        requests=len(run.requests),
        waiting=len(lost) - len(failed),
        failed=len(failed),
        first_failed_s=_due(failed, 0, started_s),
        last_failed_s=_due(failed, -1, started_s),
        restarts=sum(life.restarts for life in lives(run)),
        going_on=going_on,
    )


def _started(run: Run) -> float:
    """Return when the container first started: as the experiment found it, or as the watch showed it."""
    seen = next((one.at_s for one in run.pods if one.kind == "started"), 0.0)
    mark_s = _mark(run, "container")
    return seen if mark_s is None else mark_s


def _mark(run: Run, kind: str) -> float | None:
    mark = run.mark(kind)
    return None if mark is None else mark.at_s


def _promised(run: Run, endpoints_s: float | None) -> float | None:
    """Return from when the Service led to a ready pod; None for never.

    The proxies take a moment to learn of it: where answers begin within that moment, they are what counts.
    """
    if endpoints_s is None:
        return None
    answers = (one.planned_s for one in run.requests if one.ok and one.planned_s >= endpoints_s)
    first_s = min(answers, default=endpoints_s)
    return first_s if first_s - endpoints_s <= PROGRAMMING_S else endpoints_s


def _after(at_s: float | None, started_s: float) -> float | None:
    return None if at_s is None else at_s - started_s


def _due(requests: list[Request], index: int, started_s: float) -> float | None:
    return requests[index].planned_s - started_s if requests else None


def _span(run: Run, name: str) -> Span | None:
    found = run.parameters.get(name)
    return None if found is None else Span(*found)


def _as_predicted(predicted: Span | None, measured_s: float | None) -> bool:
    if predicted is None or measured_s is None:
        return predicted is None and measured_s is None
    return predicted.holds(measured_s, SLACK_S)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def probes_json(recording: Recording) -> dict[str, Any]:
    """Return what `summary.json` tells of the variants, and of the kills that the contract's rows have no place for."""
    found = [probes_summary(run) for run in recording.runs]
    return {
        "variants": {one.variant: one.to_plain() for one in found},
        "kills": {
            one.variant: {
                "predicted_first_s": None
                if one.predicted_kill is None
                else one.predicted_kill.to_plain(),
                "measured_s": [round(at_s, 3) for at_s in one.kills_s],
            }
            for one in found
        },
        "as_predicted": all(one.ready_as_predicted and one.kill_as_predicted for one in found),
    }


def probes_story(recording: Recording) -> Story:
    """Return what the variants must tell wherever they are measured."""
    verdicts: dict[str, object] = {}
    durations: dict[str, float] = {}
    for run in recording.runs:
        found = probes_summary(run)
        name = found.variant
        verdicts[f"{name} : devient prêt"] = found.ready_s is not None
        verdicts[f"{name} : relances"] = found.restarts
        verdicts[f"{name} : perd des requêtes"] = found.failed > 0
        verdicts[f"{name} : comme prévu"] = found.ready_as_predicted and found.kill_as_predicted
        verdicts[f"{name} : ordre"] = _order(found)
        if found.ready_s is not None and run.parameters.get("probes", {}).get("readiness"):
            durations[f"{name} : prêt"] = found.ready_s
        if found.kill_s is not None:
            durations[f"{name} : premier arrêt"] = found.kill_s
    return Story(verdicts, durations)


def _order(found: ProbesSummary) -> str:
    """Name what happened in the order in which it did."""
    instants: Mapping[str, float | None] = {
        "port ouvert": found.listening_s,
        "prêt": found.ready_s,
        "arrêt": found.kill_s,
    }
    told = sorted((at_s, name) for name, at_s in instants.items() if at_s is not None)
    return " < ".join(name for _, name in told)
