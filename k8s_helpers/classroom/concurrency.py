"""The same work for every student, several at a time: bounded, stoppable, and one failure does not end the others'."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from .._errors import K8sHelpersError
from .._progress import Progress

AT_ONCE = 8
"""Students at the same time: the API server shares what it can do among all its users."""

_REPORTS = 10
"""How often it is said how far the work is: a log keeps each line."""

Result = TypeVar("Result")


@dataclass
class Outcomes(Generic[Result]):
    """What became of each student's part.

    Attributes
    ----------
    done : mapping
        Results by student.
    failed : mapping
        Errors by student.
    """

    done: dict[str, Result] = field(default_factory=dict)
    failed: dict[str, K8sHelpersError] = field(default_factory=dict)


def for_each(
    names: Iterable[str],
    work: Callable[[str], Result],
    progress: Progress,
    title: str,
    *,
    at_once: int = AT_ONCE,
) -> Outcomes[Result]:
    """Do the same for every name, `at_once` at a time, and say how far it is.

    Ctrl-C begins nothing more and waits for what has begun; then it goes on up.

    Parameters
    ----------
    work : callable
        Runs in another thread; its `K8sHelpersError` is that name's.
    title : str
        In French, of what is done.
    """
    wanted = list(names)
    outcomes: Outcomes[Result] = Outcomes()
    stopped = threading.Event()

    def unless_stopped(name: str) -> Result | None:
        return None if stopped.is_set() else work(name)

    progress.step(title, 0.0)
    with ThreadPoolExecutor(max_workers=at_once) as executor:
        futures = {executor.submit(unless_stopped, name): name for name in wanted}
        try:
            _collect(futures, outcomes, progress, title)
        finally:
            stopped.set()
            executor.shutdown(wait=True, cancel_futures=True)
    return outcomes


def _collect(
    futures: Mapping[Future[Result | None], str],
    outcomes: Outcomes[Result],
    progress: Progress,
    title: str,
) -> None:
    for count, future in enumerate(as_completed(futures), 1):
        name = futures[future]
        try:
            result = future.result()
        except K8sHelpersError as error:
            outcomes.failed[name] = error
        else:
            if result is not None:
                outcomes.done[name] = result
        if count * _REPORTS // len(futures) > (count - 1) * _REPORTS // len(futures):
            progress.step(f"{title} : {count} sur {len(futures)}", count / len(futures))


def reasons(failed: Mapping[str, K8sHelpersError]) -> str:
    """Return what went wrong, by reason, with whose it is."""
    by_reason: dict[str, list[str]] = {}
    for name in sorted(failed):
        by_reason.setdefault(failed[name].found, []).append(name)
    return " ; ".join(f"{', '.join(names)} : {reason}" for reason, names in by_reason.items())
