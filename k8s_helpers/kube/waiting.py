"""The one bounded wait: ask until something comes, and no longer than was given."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from .._errors import K8sHelpersError

Seen = TypeVar("Seen")


def wait_until(
    look: Callable[[], Seen],
    timeout_s: float,
    late: Callable[[Seen], K8sHelpersError] | None = None,
    *,
    done: Callable[[Seen], object] = bool,
    every_s: float = 0.1,
    pause: Callable[[float], object] = time.sleep,
) -> Seen:
    """Return what `look` returns as soon as it is true, looking at once and a last time when the time is over.

    What `look` or `pause` raises ends the wait: Ctrl-C, a `SpoiledError`, a cluster that has stopped.

    Parameters
    ----------
    look : callable
        Looks at the cluster; what it returns says what was found.
    timeout_s : float
        Longest wait, in seconds.
    late : callable, optional
        Makes the error, with its three parts, from what was seen last. Without it that is returned.
    done : callable
        Whether what was seen is what was waited for; otherwise what counts as true is.
    every_s : float
        Time between two looks, in seconds.
    pause : callable
        Lets seconds pass; another than `time.sleep` where something must be looked at meanwhile.

    Raises
    ------
    K8sHelpersError
        The one that `late` makes.
    """
    end_s = time.monotonic() + timeout_s
    while not done(seen := look()):
        left_s = end_s - time.monotonic()
        if left_s <= 0:
            if late is not None:
                raise late(seen)
            return seen
        pause(min(every_s, left_s))
    return seen
