"""Runs of one experiment at the same time, each in a namespace and a thread of its own."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from ..recording import Run
from .stage import Background

if TYPE_CHECKING:
    from .play import Show

_TICK_S = 0.05


class Crowd:
    """What threads that play leave to the main one, which alone draws, tells and hears Ctrl-C.

    Attributes
    ----------
    stopped : bool
        One of them failed, or the student wants no more: the others leave at their next wait.
    told : deque of str
        Steps that were not shown yet.
    """

    def __init__(self) -> None:
        self.stopped = False
        self.told: deque[str] = deque()
        self._going: dict[int, Callable[[], Sequence[Run]]] = {}
        self._lock = threading.Lock()

    def breathe(self) -> None:
        """Leave where the others have stopped."""
        if self.stopped:
            raise _LeftError

    def follow(self, going_on: Callable[[], Sequence[Run]]) -> None:
        """Note how the caller's run is read while it goes on."""
        self.breathe()
        with self._lock:
            self._going[threading.get_ident()] = going_on

    def join(self, runs: list[Run], run: Run) -> None:
        """Note that the caller's run is over, among those that are."""
        with self._lock:
            self._going.pop(threading.get_ident(), None)
            runs.append(run)

    @property
    def begun(self) -> bool:
        """Whether anything is recorded."""
        return bool(self._going)

    def going(self) -> tuple[Run, ...]:
        """Return what goes on, as far as it is recorded."""
        with self._lock:
            found = list(self._going.values())
        return tuple(run for one in found for run in one())


class _LeftError(Exception):
    """A run ends because another one has."""


def together(show: Show, acts: Mapping[str, Callable[[], object]]) -> None:
    """Let runs play at the same time; they join the recording in the order of `acts`.

    For runs that leave the machine enough: what each measures must be what it would measure alone.

    Parameters
    ----------
    show : Show
        The experiment.
    acts : mapping of str to callable
        By the run's name, what plays it from its namespace's birth to its end.

    Raises
    ------
    Exception
        The first of those that an act raises; the others are ended, and their namespaces too.
    """
    crowd = Crowd()
    before = len(show.runs)
    show.crowd = crowd
    playing = [Background(act) for act in acts.values()]
    try:
        while not all(one.over() for one in playing):
            _look(show, crowd, sum(one.over() for one in playing) / len(playing))
            for one in playing:
                if one.over():
                    one.result()
            time.sleep(_TICK_S)
        for one in playing:
            one.result()
    finally:
        crowd.stopped = True
        for one in playing:
            one.join()
        show.crowd = None
    order = list(acts)
    show.runs[before:] = sorted(show.runs[before:], key=lambda run: order.index(run.name))


def _look(show: Show, crowd: Crowd, share: float) -> None:
    while crowd.told:
        show.progress.step(crowd.told.popleft(), share)
    if show.runs or crowd.begun:
        show.draw_now(crowd.going)
