"""When a container that keeps dying is restarted: the kubelet's back-off as intervals. Pure.

The first restart is immediate. Then the kubelet waits 10 s, 20 s, 40 s … up to 5 minutes, counted from the end of the
last run; a container that has run for 10 minutes begins again at the first step. It wakes up at the end of the wait
or later by up to half of it: it spreads its work by chance.

Sources, in Kubernetes v1.37: `doBackOff` in kubernetes/pkg/kubelet/kuberuntime/kuberuntime_manager.go;
`completeWork` and `workerBackOffPeriodJitterFactor` in kubernetes/pkg/kubelet/pod_workers.go;
`newCrashLoopBackOff` in kubernetes/pkg/kubelet/kubelet.go, whose gates leave 10 s and 300 s as they are:
`KubeletCrashLoopBackOffMax` (on) only lets an administrator lower the maximum, and
`ReduceDefaultCrashLoopBackOffDecay` (1 s and 60 s) is off.
"""

from __future__ import annotations

from collections.abc import Sequence

from .span import Span

FIRST_S = 10.0
LONGEST_S = 300.0
RESET_AFTER_S = 2 * LONGEST_S
"""A run that lasts longer makes its end the first one again."""
SPREAD = 0.5
"""Share of a wait by which the kubelet may oversleep."""
SYNC_S = 60.0
"""The kubelet looks at a pod at least that often (`syncFrequency`), and oversleeps from then only."""
REACTION_S = 4.0
"""Longest time from a death, or the end of a wait, to a running container: noticing it (1 s), making one."""


def delays(ran_s: Sequence[float]) -> tuple[float, ...]:
    """Return the back-off before each restart, in seconds (0, 10, 20, 40 …).

    Parameters
    ----------
    ran_s : sequence of float
        How long each run lasted; each is followed by a restart.
    """
    found: list[float] = []
    current_s: float | None = None
    for length_s in ran_s:
        if current_s is None or length_s > RESET_AFTER_S:
            found.append(0.0)
            current_s = FIRST_S
        else:
            found.append(current_s)
            current_s = min(2 * current_s, LONGEST_S)
    return tuple(found)


def wait(delay_s: float) -> Span:
    """Return how long a container is down between a death and its next run, for a back-off of `delay_s` seconds."""
    oversleep_s = SPREAD * min(delay_s, SYNC_S)
    return Span(delay_s, delay_s + oversleep_s + REACTION_S)


def starts(first: Span, life: Span, restarts: int) -> tuple[Span, ...]:
    """Return when each run starts: the first one, then each restart.

    Parameters
    ----------
    first : Span
        Start of the first run.
    life : Span
        How long a run lasts.
    restarts : int
        How many restarts to predict.
    """
    found = [first]
    for delay_s in delays([life.lo_s] * restarts):
        found.append(found[-1].then(life).then(wait(delay_s)))
    return tuple(found)
