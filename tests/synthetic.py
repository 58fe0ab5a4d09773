"""Runs made by hand, whose every number is known beforehand."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from k8s_helpers.measure.recording import Mark, PodEvent, PodEventKind, Recording, Request, Run

RATE_PER_S = 50
END_S = 20.0


@dataclass(frozen=True)
class Pod:
    """A pod's life in four instants; None for what does not happen during the run."""

    name: str
    version: str
    created_s: float
    ready_s: float | None
    terminating_s: float | None = None
    gone_s: float | None = None

    def events(self) -> tuple[PodEvent, ...]:
        times: tuple[tuple[PodEventKind, float | None], ...] = (
            ("created", self.created_s),
            ("ready", self.ready_s),
            ("terminating", self.terminating_s),
            ("deleted", self.gone_s),
        )
        return tuple(
            PodEvent(at_s, self.name, f"uid-{self.name}", kind, "receipt", self.version)
            for kind, at_s in times
            if at_s is not None
        )


def request(planned_s: float, version: str | None = "v1", error: Any = None) -> Request:
    """Return a request that left at its instant and was over 10 ms later."""
    status = None if error else 200
    return Request(
        planned_s,
        planned_s,
        planned_s + 0.01,
        status,
        version if error is None else None,
        None,
        error,
    )


def requests(outcome: Callable[[float], str], end_s: float = END_S) -> tuple[Request, ...]:
    """Return requests at `RATE_PER_S`; `outcome` names the version that answers, or is an error's kind with "!"."""
    made = []
    for number in range(int(end_s * RATE_PER_S)):
        planned_s = number / RATE_PER_S
        answer = outcome(planned_s)
        made.append(
            request(planned_s, error=answer[1:])
            if answer.startswith("!")
            else request(planned_s, answer)
        )
    return tuple(made)


def inverted(given: Iterable[Request]) -> tuple[Request, ...]:
    """Return requests with the opposite outcome: good ones are refused, lost ones answered by v1."""
    return tuple(
        replace(request, status=None, version=None, pod=None, error="refused")
        if request.ok
        else replace(request, status=200, version="v1", error=None)
        for request in given
    )


def run(
    name: str,
    outcome: Callable[[float], str],
    pods: Iterable[Pod],
    marks: Iterable[tuple[float, str]] = ((4.0, "apply"),),
    *,
    end_s: float = END_S,
    **parameters: Any,
) -> Run:
    """Return a run from its parts."""
    return Run(
        name=name,
        started_at="2026-01-01T10:00:00+00:00",
        ended_s=end_s,
        parameters={"replicas": 3, "rate_per_s": RATE_PER_S, "startup_s": 3.0, **parameters},
        requests=requests(outcome, end_s),
        pods=tuple(event for pod in pods for event in pod.events()),
        marks=tuple(Mark(at_s, kind) for at_s, kind in marks),
    )


def rolling(name: str = "rolling") -> Run:
    """Return a rolling update of three pods: v2 pods ready at 7, 10 and 13 s, v1 pods gone 1 s after each."""
    pods = [Pod(f"a{i}", "v1", -9.0, -6.0, 7.0 + 3 * i, 8.0 + 3 * i) for i in range(3)]
    pods += [Pod(f"b{i}", "v2", 4.0 + 3 * i, 7.0 + 3 * i) for i in range(3)]

    def outcome(at_s: float) -> str:
        share_of_new = 0 if at_s < 7 else 1 if at_s < 10 else 2 if at_s < 13 else 3
        return "v2" if round(at_s * RATE_PER_S) % 3 < share_of_new else "v1"

    marks = ((4.0, "apply"), (13.0, "complete"))
    return run(
        name,
        outcome,
        pods,
        marks,
        max_surge="25%",
        max_unavailable="25%",
        max_surge_pods=1,
        max_unavailable_pods=0,
    )


def naive() -> Run:
    """Return a rolling update that loses one request in two for 2 s after each replacement."""
    good = rolling("rolling-naive")

    def outcome(at_s: float) -> str:
        lost = (
            any(begin_s <= at_s < begin_s + 2 for begin_s in (4.5, 8.0))
            and round(at_s * RATE_PER_S) % 2
        )
        return "!refused" if lost else ("v1" if at_s < 8 else "v2")

    pods = [Pod(f"a{i}", "v1", -9.0, -8.9, 4.2 + i * 0.2, 4.4 + i * 0.2) for i in range(3)]
    pods += [Pod(f"b{i}", "v2", 4.0 + i * 0.2, 4.2 + i * 0.2) for i in range(3)]
    return run(
        "rolling-naive", outcome, pods, ((4.0, "apply"), (4.8, "complete")), **good.parameters
    )


def recreate() -> Run:
    """Return an update that answers nobody from 4 to 8.5 s."""
    pods = [Pod(f"a{i}", "v1", -9.0, -6.0, 4.0, 5.0 + i * 0.1) for i in range(3)]
    pods += [Pod(f"b{i}", "v2", 5.2, 8.5 + i * 0.2) for i in range(3)]
    marks = ((4.0, "apply"), (8.9, "complete"))
    return run(
        "recreate",
        lambda at_s: "v1" if at_s < 4 else "!refused" if at_s < 8.5 else "v2",
        pods,
        marks,
    )


def blue_green() -> Run:
    """Return a switch at 8 s and a way back at 12 s."""
    pods = [Pod(f"a{i}", "v1", -9.0, -6.0) for i in range(3)]
    pods += [Pod(f"b{i}", "v2", 4.0, 7.1 + i * 0.1) for i in range(3)]
    marks = ((4.0, "apply"), (8.0, "switch"), (8.0, "complete"), (12.0, "switch-back"))
    return run("blue-green", lambda at_s: "v2" if 8 <= at_s < 12 else "v1", pods, marks)


def recording() -> Recording:
    """Return the four strategies side by side."""
    return Recording(
        "update", "embedded", "v1.37.0", (naive(), rolling(), recreate(), blue_green())
    )
