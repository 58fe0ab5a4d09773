"""A measure under way: its cluster, its images, its lanes, who listens to it, and one way to cancel it."""

from __future__ import annotations

import re
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .._progress import Progress
from ..cluster import Cluster, Namespace
from ..cluster.sentinel import UNKNOWN_IDENTITY, access_ended
from ..kube.api import ApiStatusError
from .lane import Background, Lane
from .recording import Recording, Run

_TICK_S = 0.05

Listener = Callable[[Callable[[], Recording]], None]
"""Called during waits with what returns the recording so far; it decides whether to look."""


class Measure:
    """What a lab measures with.

    Lanes may go on at the same time, each in a thread of its own (`together`); the thread that made the measure alone
    reports steps, calls the listener and hears Ctrl-C.

    Parameters
    ----------
    experiment : str
        The lab's name, as its recordings have it.
    cluster : Cluster
        Where it measures.
    folder : Path
        Of its manifests.
    images : mapping of str to str
        Image reference in the cluster by the one that manifests have ("vitrine:v1").
    progress : Progress
        What steps are reported to.
    listener : Listener, optional
        Told during waits; a live chart is one.

    Attributes
    ----------
    cluster, folder, images, progress
        As above.
    share : float, optional
        How much is done, 0 to 1; reported with each step.
    runs : list of Run
        Those that are over.
    """

    def __init__(
        self,
        experiment: str,
        cluster: Cluster,
        folder: Path,
        images: Mapping[str, str],
        progress: Progress,
        listener: Listener | None = None,
    ) -> None:
        self.cluster = cluster
        self.folder = folder
        self.images = images
        self.progress = progress
        self.share: float | None = None
        self.runs: list[Run] = []
        self._experiment = experiment
        self._listener = listener
        self._owner = threading.get_ident()
        self._cancelled = threading.Event()
        self._lock = threading.Lock()
        self._recorded: list[Lane] = []
        self._order: Sequence[str] = ()
        self._steps: deque[str] = deque()

    def recording(self) -> Recording:
        """Return what is recorded so far: runs that are over, then those that go on; lanes together in their order."""
        with self._lock:
            runs, lanes = list(self.runs), tuple(self._recorded)
        runs = self._ordered([*runs, *(lane.run() for lane in lanes)])
        provider, version = self.cluster.provider.kind, self.cluster.kubernetes_version
        return Recording(self._experiment, provider, version, tuple(runs))

    def _ordered(self, runs: Iterable[Run]) -> list[Run]:
        """Return runs in the order of the lanes that go on together, after those of before."""
        order = self._order
        return sorted(runs, key=lambda run: order.index(run.name) if run.name in order else -1)

    @contextmanager
    def lane(
        self,
        name: str,
        title: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        namespace: Namespace | None = None,
    ) -> Iterator[Lane]:
        """Open a lane, in a namespace of its own that goes whatever happens.

        Parameters
        ----------
        name : str
            The run's.
        title : str
            In French, before each step that is reported.
        parameters : mapping, optional
            What the run is made with (plain JSON values).
        namespace : Namespace, optional
            Another lane's, to share it.
        """
        with _access(title), ExitStack() as held:
            held.enter_context(self.cluster.api.patient())
            if namespace is not None:
                yield Lane(self, namespace, name, title, parameters)
                return
            own = held.enter_context(self.cluster.namespace(_namespace(name)))
            lane = Lane(self, own, name, title, parameters)
            yield lane
            lane.step("rangement")

    def together(self, acts: Mapping[str, Callable[[], object]]) -> None:
        """Let lanes go on at the same time; their runs join the recording in the order of `acts`.

        For lanes that leave the machine enough: what each measures must be what it would measure alone.

        Parameters
        ----------
        acts : mapping of str to callable
            By the run's name, what opens the lane and ends it.

        Raises
        ------
        Exception
            The first of those that an act raises; the other lanes are cancelled, and their namespaces go too.
        """
        self._order, share = tuple(acts), 0.0
        threads = [Background(act) for act in acts.values()]
        try:
            while not all(thread.over() for thread in threads):
                over = sum(thread.over() for thread in threads)
                self.share = share = max(share, self._done(over, len(threads)))
                self.tick()
                for thread in threads:
                    if thread.over():
                        thread.result()
                time.sleep(_TICK_S)
            for thread in threads:
                thread.result()
        finally:
            self._cancelled.set()
            for thread in threads:
                thread.join()
            self._cancelled.clear()
        self.runs[:] = self._ordered(self.runs)
        self._order = ()
        self.tick()

    def _done(self, over: int, acts: int) -> float:
        """Return which share of acts is done, where some are over and the lanes of others say how far they are."""
        with self._lock:
            going_on = sum(lane.share for lane in self._recorded)
        return min(1.0, (over + going_on) / acts)

    # --- what lanes call

    def report(self, text: str) -> None:
        """Report a step, in French; from another thread than the measure's it is kept until that one ticks."""
        if threading.get_ident() == self._owner:
            self.progress.step(text, self.share)
        else:
            self._steps.append(text)

    def tick(self) -> None:
        """Let the measure's own thread report and be listened to; make the lanes of others leave when cancelled."""
        if threading.get_ident() != self._owner:
            if self._cancelled.is_set():
                raise _CancelledError
            return
        while self._steps:
            self.progress.step(self._steps.popleft(), self.share)
        if self._listener is not None and (self.runs or self._recorded):
            self._listener(self.recording)

    def follow(self, lane: Lane) -> None:
        """Note that a lane records."""
        self.tick()
        with self._lock:
            self._recorded.append(lane)

    def forget(self, lane: Lane) -> None:
        """Leave out what a lane recorded."""
        with self._lock:
            self._recorded.remove(lane)

    def join(self, lane: Lane) -> None:
        """Note that a lane's run is over."""
        run = lane.run()
        with self._lock:
            self._recorded.remove(lane)
            self.runs.append(run)


@contextmanager
def _access(title: str) -> Iterator[None]:
    """Say what is lost where, within the block, the cluster stops knowing who we are."""
    try:
        yield
    except ApiStatusError as error:
        if error.code != UNKNOWN_IDENTITY:
            raise
        raise access_ended(f"Mesurer ({title})") from None


def _namespace(run: str) -> str:
    """Return a name for a run's namespace: its own where Kubernetes takes it, and what no other has."""
    return f"{re.sub('[^a-z0-9]+', '-', run.lower()).strip('-')[:40] or 'mesure'}-{secrets.token_hex(2)}"


class _CancelledError(Exception):
    """A lane ends because another one has failed, or the student wants no more."""


def snapshot(experiment: str, cluster: Cluster, parameters: Mapping[str, Any]) -> Recording:
    """Return a recording of one instant: what a cluster or a namespace is made of, as parameters of its only run."""
    run = Run(experiment, datetime.now(UTC).isoformat(), 0.0, dict(parameters))
    return Recording(experiment, cluster.provider.kind, cluster.kubernetes_version, (run,))
