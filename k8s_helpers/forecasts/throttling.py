"""How long work takes under a processor limit. Pure.

The kernel lets a container run for its share of each period of 100 ms, then stops it until the next one.

Source: https://docs.kernel.org/scheduler/sched-bwc.html; `cpuCFSQuotaPeriod` of the kubelet.
"""

from __future__ import annotations

import math

from .span import Span

PERIOD_S = 0.1


def duration(cpu_s: float, limit_cores: float | None) -> Span:
    """Return how long a single thread needs for some processor time, alone in its container.

    The earliest: it begins with what is left of a period's share and goes on at once with the next one. The latest: it
    begins with a period.

    Parameters
    ----------
    cpu_s : float
        Processor time of the work, in seconds.
    limit_cores : float or None
        The container's limit; None where it has none.
    """
    if limit_cores is None or limit_cores >= 1:
        return Span(cpu_s, cpu_s)
    share_s = limit_cores * PERIOD_S
    stops = math.ceil(round(cpu_s / share_s, 9)) - 1
    rest_s = cpu_s - stops * share_s
    if stops == 0:
        return Span(cpu_s, cpu_s + PERIOD_S - share_s)
    return Span(share_s + (stops - 1) * PERIOD_S + rest_s, stops * PERIOD_S + rest_s)
