"""The back-off between two starts of a container (`CrashLoopBackOff`) or two pulls (`ImagePullBackOff`).

The first restart is immediate; the next ones wait 10 s, 20 s, 40 s … up to 5 minutes, counted from the end of the last
run. What ran for 10 minutes begins again at the first step. A pod that waits is looked at again when its wait is over,
after a minute at the latest, and later than that by up to half of it, by chance.
(source: `k8s.io/client-go/util/flowcontrol/backoff.go`, `doBackOff` of `kuberuntime_manager.go`, `completeWork` of
`pod_workers.go`)
"""

from __future__ import annotations

import random
from dataclasses import dataclass

INITIAL_S = 10.0
LONGEST_S = 300.0
RESET_AFTER_S = 2 * LONGEST_S
"""How long after the last restart an end counts as the first one again."""
RESYNC_S = 60.0
"""A pod that waits is looked at again after this time at the latest (`syncFrequency`)."""
SPREAD = 0.5
"""By which share of itself a wait may be longer (`workerBackOffPeriodJitterFactor`)."""


@dataclass(frozen=True)
class _Entry:
    delay_s: float
    updated_s: float


class BackOff:
    """Delays by key; instants are seconds of any one clock, given by the caller."""

    def __init__(self) -> None:
        self._entries: dict[str, _Entry] = {}

    def remaining_s(self, key: str, since_s: float, now_s: float) -> float:
        """Return how long to wait yet before the next try; 0 where it may be now.

        Parameters
        ----------
        key : str
            What is tried again.
        since_s : float
            When the last try ended.
        now_s : float
            Now.
        """
        entry = self._entries.get(key)
        if entry is None or since_s - entry.updated_s > RESET_AFTER_S:
            return 0.0
        return max(0.0, since_s + entry.delay_s - now_s)

    def next(self, key: str, since_s: float, now_s: float) -> None:
        """Note a try: the wait after it is the first one, or twice the last one."""
        entry = self._entries.get(key)
        if entry is None or since_s - entry.updated_s > RESET_AFTER_S:
            self._entries[key] = _Entry(INITIAL_S, now_s)
        else:
            self._entries[key] = _Entry(min(entry.delay_s * 2, LONGEST_S), now_s)

    def delay_s(self, key: str) -> float:
        """Return the wait that follows the last try."""
        entry = self._entries.get(key)
        return 0.0 if entry is None else entry.delay_s

    def updated_s(self, key: str) -> float:
        """Return when the last try was; minus infinity where there was none."""
        entry = self._entries.get(key)
        return float("-inf") if entry is None else entry.updated_s

    def forget(self, prefix: str) -> None:
        """Drop what begins with a prefix (a pod's uid)."""
        for key in [key for key in self._entries if key.startswith(prefix)]:
            del self._entries[key]


def requeue_s(wait_s: float, draw: float | None = None) -> float:
    """Return in how many seconds a pod is looked at again that something keeps waiting.

    Parameters
    ----------
    wait_s : float
        How long the shortest wait of its containers lasts yet.
    draw : float, optional
        From 0 to 1, which share of the spread is taken; drawn by default.
    """
    share = random.random() if draw is None else draw
    return min(wait_s, RESYNC_S) * (1 + SPREAD * share)


def go_duration(seconds: float) -> str:
    """Return whole seconds as Go prints a duration: `10s`, `1m20s`, `5m0s`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h{minutes}m{rest}s"
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"


def crash_loop_message(delay_s: float, container: str, pod: str) -> str:
    """Return what `state.waiting.message` says during `CrashLoopBackOff`; `pod` is `name_namespace(uid)`."""
    return f"back-off {go_duration(delay_s)} restarting failed container={container} pod={pod}"
