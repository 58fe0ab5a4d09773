"""Lives of pods, how many there were, which of them a Service had: from the events of a run, nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from ..measure.recording import PodEvent, PodEventKind, Run

PhaseKind = Literal["starting", "ready", "unready", "terminating"]
"""Not ready yet, ready, not ready any more, asked to end."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A stretch of time, in seconds from the run's start."""

    start_s: float
    end_s: float

    @property
    def length_s(self) -> float:
        """How long it lasts."""
        return self.end_s - self.start_s


@dataclass(frozen=True, slots=True)
class Phase(Interval):
    """A stretch of a pod's life during which it is in one state."""

    kind: PhaseKind


@dataclass(frozen=True, slots=True)
class PodLife:
    """What happened to one pod.

    Attributes
    ----------
    created_s : float
        When it appeared; negative for one that was there before the run.
    started_s : float or None
        When its first container started.
    ready : tuple of Interval
        When it was ready and not asked to end; the end of the run closes the last one.
    terminating_s, gone_s : float or None
        When its deletion was asked for, and when all its programs had ended (or its object was deleted); None where
        that did not happen during the run.
    restarts : int
        Restarts of its containers.
    """

    pod: str
    uid: str
    version: str | None
    created_s: float
    started_s: float | None
    ready: tuple[Interval, ...]
    terminating_s: float | None
    gone_s: float | None
    restarts: int

    def ready_at(self, at_s: float) -> bool:
        """Whether it was ready at an instant."""
        return any(stretch.start_s <= at_s < stretch.end_s for stretch in self.ready)

    def there_at(self, at_s: float) -> bool:
        """Whether there was such a pod at an instant, one that ends included."""
        return self.created_s <= at_s and (self.gone_s is None or at_s < self.gone_s)

    def phases(self, end_s: float) -> tuple[Phase, ...]:
        """Return its states one after the other, without gaps, up to `end_s` where it was still there."""
        alive_until_s = self._alive_until(end_s)
        gone_s = end_s if self.gone_s is None else self.gone_s
        phases: list[Phase] = []
        at_s = self.created_s
        for stretch in self.ready:
            phases.append(Phase(at_s, stretch.start_s, "unready" if phases else "starting"))
            phases.append(Phase(stretch.start_s, stretch.end_s, "ready"))
            at_s = stretch.end_s
        phases.append(Phase(at_s, alive_until_s, "unready" if phases else "starting"))
        if self.terminating_s is not None:
            phases.append(Phase(alive_until_s, gone_s, "terminating"))
        return tuple(phase for phase in phases if phase.length_s > 0)

    def _alive_until(self, end_s: float) -> float:
        ends = [at_s for at_s in (self.terminating_s, self.gone_s) if at_s is not None]
        return min(ends, default=end_s)


@dataclass(frozen=True, slots=True)
class Count:
    """How many pods there were from an instant on: ready ones, and all (those that end included)."""

    at_s: float
    ready: int
    total: int


def lives(run: Run) -> tuple[PodLife, ...]:
    """Return the life of each pod of a run, in the order in which they were created."""
    by_uid: dict[str, list[PodEvent]] = {}
    for event in sorted(run.pods, key=lambda event: event.at_s):
        by_uid.setdefault(event.uid, []).append(event)
    pods = [_life(events, run.ended_s) for events in by_uid.values()]
    return tuple(sorted(pods, key=lambda life: (life.created_s, life.version or "", life.pod)))


def _life(events: Sequence[PodEvent], ended_s: float) -> PodLife:
    terminating_s = _first(events, "terminating")
    # The programs of a pod that ends may be over well before its object is deleted; those of another are restarted.
    over = [event.at_s for event in events if event.kind == "exited" and terminating_s is not None]
    gone = [at_s for at_s in (*over, _first(events, "deleted")) if at_s is not None]
    gone_s = min((at_s for at_s in gone if at_s >= (terminating_s or at_s)), default=None)
    return PodLife(
        pod=events[0].pod,
        uid=events[0].uid,
        version=next((event.version for event in events if event.version), None),
        created_s=events[0].at_s,
        started_s=_first(events, "started"),
        ready=_ready(events, ended_s),
        terminating_s=terminating_s,
        gone_s=gone_s,
        restarts=sum(event.kind == "restarted" for event in events),
    )


def _first(events: Iterable[PodEvent], kind: str) -> float | None:
    return next((event.at_s for event in events if event.kind == kind), None)


def _ready(events: Iterable[PodEvent], ended_s: float) -> tuple[Interval, ...]:
    stretches: list[Interval] = []
    since_s: float | None = None
    for event in events:
        if event.kind == "ready" and since_s is None:
            since_s = event.at_s
        elif event.kind in ("unready", "terminating", "deleted"):
            if since_s is not None and event.at_s > since_s:
                stretches.append(Interval(since_s, event.at_s))
            since_s = None
        if event.kind in ("terminating", "deleted"):
            return tuple(stretches)
    if since_s is not None and ended_s > since_s:
        stretches.append(Interval(since_s, ended_s))
    return tuple(stretches)


def counts(run: Run) -> tuple[Count, ...]:
    """Return how many pods were ready and how many there were, at 0 and at each change until the run's end."""
    pods = lives(run)
    instants = {0.0}
    for life in pods:
        instants.update((life.created_s, life.gone_s or 0.0))
        instants.update(at_s for stretch in life.ready for at_s in (stretch.start_s, stretch.end_s))
    steps: list[Count] = []
    for at_s in sorted(at_s for at_s in instants if 0 <= at_s < run.ended_s):
        ready = sum(life.ready_at(at_s) for life in pods)
        total = sum(life.there_at(at_s) for life in pods)
        if not steps or (ready, total) != (steps[-1].ready, steps[-1].total):
            steps.append(Count(at_s, ready, total))
    return tuple(steps)


def in_service(run: Run, service: str) -> dict[str, tuple[Interval, ...]]:
    """Return when each pod was among the ready addresses of a Service, by its name."""
    since: dict[str, float] = {}
    stretches: dict[str, list[Interval]] = {}
    for event in sorted(run.endpoints, key=lambda event: event.at_s):
        if event.service != service:
            continue
        for pod in set(since) - set(event.ready):
            stretches.setdefault(pod, []).append(Interval(since.pop(pod), event.at_s))
        for pod in set(event.ready) - set(since):
            since[pod] = max(0.0, event.at_s)
    for pod, at_s in since.items():
        stretches.setdefault(pod, []).append(Interval(at_s, run.ended_s))
    return {pod: tuple(intervals) for pod, intervals in stretches.items()}


def instants(run: Run, kind: PodEventKind, pod: str | None = None) -> list[float]:
    """Return when something happened to a pod, or to any, in the order of time."""
    return sorted(
        event.at_s for event in run.pods if event.kind == kind and pod in (None, event.pod)
    )


def first_after(instants: Iterable[float], at_s: float) -> float | None:
    """Return the first instant after another one, None where there is none."""
    return min((instant for instant in instants if instant > at_s), default=None)
