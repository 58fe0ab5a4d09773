"""Watches a namespace while something is done to it, and gives a run."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self

from .._interruption import stoppable_class
from .objects import Clock, EndpointsWatch, EventsWatch, PodWatch
from .recording import (
    Attempt,
    ClusterEvent,
    EndpointsEvent,
    Incident,
    Mark,
    PodEvent,
    Request,
    Run,
    Sample,
)

if TYPE_CHECKING:
    from ..cluster import Cluster, Namespace
    from ..cluster.sentinel import Sentinel
    from ..kube.watch import Watch, WatchEvent

Reading = tuple[str, float, str]
"""A measured quantity: its name, its value, what it was measured on."""

_JOIN_S = 10.0


class _Follower(Protocol):
    def take(self, change: str, item: Mapping[str, Any], received_s: float, /) -> Iterable[Any]: ...


@stoppable_class
class Recorder:
    """Records what happens in a namespace: lives of pods, endpoints of Services, marks, samples, incidents.

    Parameters
    ----------
    cluster : Cluster
        Whose API is watched, and whose incidents are noted.
    namespace : Namespace
        What is watched in it.
    name : str
        The run's name.
    parameters : mapping, optional
        What the run was made with (plain JSON values).
    zero_monotonic_s : float, optional
        Instant of `time.monotonic()` that is the run's 0: that of the traffic. Otherwise the recorder's own start.
    sample : callable, optional
        Called every `sample_period_s` in a thread of its own; returns (name, value, subject) triples.
    sample_period_s : float
        Seconds between two calls.
    events : bool
        Record the namespace's Kubernetes Events too.

    Attributes
    ----------
    clock : Clock
        The run's clock.

    Examples
    --------
    >>> with Traffic(url, rate_per_s=50) as traffic:
    ...     with Recorder(cluster, namespace, "rolling", zero_monotonic_s=traffic.zero_monotonic_s) as recorder:
    ...         recorder.mark("apply")
    >>> run = recorder.run(traffic.requests)
    """

    def __init__(
        self,
        cluster: Cluster,
        namespace: Namespace,
        name: str,
        *,
        parameters: Mapping[str, Any] | None = None,
        zero_monotonic_s: float | None = None,
        sample: Callable[[], Iterable[Reading]] | None = None,
        sample_period_s: float = 1.0,
        events: bool = False,
    ) -> None:
        self._cluster = cluster
        self._namespace = namespace
        self._name = name
        self._parameters = dict(parameters or {})
        self._zero_s = zero_monotonic_s
        self._sample = sample
        self._sample_period_s = sample_period_s
        self._with_events = events
        self.clock = Clock.starting(zero_monotonic_s)
        self._pods: list[PodEvent] = []
        self._endpoints: list[EndpointsEvent] = []
        self._samples: list[Sample] = []
        self._marks: list[Mark] = []
        self._attempts: list[Attempt] = []
        self._events: list[ClusterEvent] = []
        self._threads: list[threading.Thread] = []
        self._watches: list[Watch] = []
        self._stopped = threading.Event()
        self._failure: BaseException | None = None
        self._sentinel: Sentinel | None = None
        self._ended_s: float | None = None

    @property
    def now_s(self) -> float:
        """Now, on the run's clock."""
        return self.clock.from_monotonic(time.monotonic())

    def start(self) -> None:
        """Begin to watch."""
        self.clock = Clock.starting(self._zero_s)
        api, name = self._cluster.api, self._namespace.name
        pods = api.watch(f"/api/v1/namespaces/{name}/pods")
        slices = api.watch(f"/apis/discovery.k8s.io/v1/namespaces/{name}/endpointslices")
        self._watches = [pods, slices]
        self._launch(self._follow, pods, PodWatch(self.clock), self._pods)
        self._launch(self._follow, slices, EndpointsWatch(self.clock), self._endpoints)
        if self._with_events:
            events = api.watch(f"/api/v1/namespaces/{name}/events")
            self._watches.append(events)
            self._launch(self._follow, events, EventsWatch(self.clock), self._events)
        if self._sample is not None:
            self._launch(self._sample_all, self._sample)
        self._sentinel = self._namespace.sentinel().__enter__()

    def mark(
        self,
        kind: str,
        detail: str = "",
        at_s: float | None = None,
        facts: Mapping[str, Any] | None = None,
    ) -> Mark:
        """Note that the experiment does or sees something now, or did at an instant of the run's clock."""
        mark = Mark(self.now_s if at_s is None else at_s, kind, detail, facts or {})
        self._marks.append(mark)
        return mark

    def follow(self, path: str, take: Callable[[WatchEvent], None]) -> None:
        """Watch another collection of the API too, until the end: `take` gets each event, in a thread of its own."""
        watch = self._cluster.api.watch(path)
        self._watches.append(watch)

        def work() -> None:
            for event in watch:
                if self._stopped.is_set():
                    return
                take(event)

        self._launch(work)

    def attempt(self, who: str, what: str, ok: bool, answer: str, detail: str = "") -> None:
        """Note what came just now of something that was tried; see `Attempt`."""
        self._attempts.append(Attempt(self.now_s, who, what, ok, answer, detail))

    def note_samples(self, samples: Iterable[Sample]) -> None:
        """Add values that have instants of their own, as a program's log gives them."""
        self._samples.extend(samples)

    def check(self) -> None:
        """Raise what keeps the recorder from seeing what happens; nothing while all is well.

        Raises
        ------
        ClusterUnreachableError
            Where the cluster has stopped, or its API server was away for so long that the recording has a hole.
        SpoiledError
            Where the namespace was deleted, the machine suspended or its clock set.
        """
        if self._sentinel is not None:
            self._sentinel.check()
        if self._failure is not None:
            raise self._failure

    def stop(self) -> None:
        """Stop watching; what was seen stays. Raises as `check` does."""
        self._end()
        self.check()

    def run(self, requests: Iterable[Request] = ()) -> Run:
        """Return what was recorded so far, with the requests of the traffic."""
        ended_s = self.now_s if self._ended_s is None else self._ended_s
        started_at = datetime.fromtimestamp(self.clock.zero_wall_s, UTC).isoformat()
        return Run(
            name=self._name,
            started_at=started_at,
            ended_s=ended_s,
            parameters=dict(self._parameters),
            requests=tuple(requests),
            pods=tuple(sorted(self._pods.copy(), key=lambda event: event.at_s)),
            endpoints=tuple(self._endpoints.copy()),
            samples=tuple(sorted(self._samples.copy(), key=lambda one: one.at_s)),
            marks=tuple(self._marks),
            incidents=self._incidents(),
            events=tuple(sorted(self._events.copy(), key=lambda one: one.at_s)),
            attempts=tuple(self._attempts),
        )

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.stop()
        else:
            self._end()

    def _end(self) -> None:
        if self._ended_s is None:
            self._ended_s = self.now_s
        self._stopped.set()
        if self._sentinel is not None:
            self._sentinel.close()
        for watch in self._watches:
            watch.close()
        for thread in self._threads:
            thread.join(_JOIN_S)

    def _launch(self, work: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=self._guard, args=(work, *args), daemon=True)
        thread.start()
        self._threads.append(thread)

    def _guard(self, work: Callable[..., None], *args: object) -> None:
        try:
            work(*args)
        except Exception as error:  # told by `stop`, in the caller's thread
            if not self._stopped.is_set():
                self._failure = self._failure or error

    def _follow(self, watch: Watch, follower: _Follower, into: list[Any]) -> None:
        for event in watch:
            if self._stopped.is_set():
                return
            into.extend(follower.take(event.type, event.object, event.received_s))

    def _sample_all(self, sample: Callable[[], Iterable[Reading]]) -> None:
        while not self._stopped.wait(self._sample_period_s):
            at_s = self.now_s
            if self._ended_s is not None:
                return
            self._samples.extend(Sample(at_s, name, value, on) for name, value, on in sample())

    def _incidents(self) -> tuple[Incident, ...]:
        found = self._cluster.incidents(self.clock.zero_wall_s)
        return tuple(
            Incident(self.clock.from_wall(one.wall_s), one.component, one.what) for one in found
        )
