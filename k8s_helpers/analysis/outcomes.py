"""What clients saw: outages, versions that answered at the same time, requests per moment."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from statistics import median

from ..measure.recording import Request, Run
from .pods import Interval

OUTAGE_MIN_S = 0.25
"""Failures in a row for less than this are lost requests, not an outage."""
_PLANNED = attrgetter("planned_s")


def failed(requests: Iterable[Request]) -> tuple[Request, ...]:
    """Return the requests that a client lost: those that left and got no good answer."""
    return tuple(
        request for request in requests if request.error is not None and request.error != "unsent"
    )


def outages(requests: Iterable[Request], minimum_s: float = OUTAGE_MIN_S) -> tuple[Interval, ...]:
    """Return when nobody was answered.

    An outage is a longest row of failed requests without a success between them. It lasts from the planned instant
    of the first one to that of the next success, or of the last failure where no success follows.

    Parameters
    ----------
    requests : iterable of Request
        In any order; those that never left say nothing of the service and are left out.
    minimum_s : float
        Shorter rows are not outages.
    """
    sent = sorted((request for request in requests if request.error != "unsent"), key=_PLANNED)
    stretches: list[Interval] = []
    since_s: float | None = None
    for request in sent:
        if request.error is None:
            if since_s is not None:
                stretches.append(Interval(since_s, request.planned_s))
            since_s = None
        elif since_s is None:
            since_s = request.planned_s
    if since_s is not None:
        stretches.append(Interval(since_s, sent[-1].planned_s))
    return tuple(stretch for stretch in stretches if stretch.length_s >= minimum_s)


def mixed(run: Run) -> tuple[Interval, ...]:
    """Return when two versions answered: from the first answer of the new one to the last of the old one.

    A way back (mark "switch-back") is a change of version of its own: answers before it and after it are looked at
    apart.
    """
    back = run.mark("switch-back")
    border_s = back.at_s if back else math.inf
    good = [request for request in run.requests if request.error is None and request.version]
    before = [request for request in good if request.answered_s < border_s]
    after = [request for request in good if request.answered_s >= border_s]
    return _union([*_overlaps(before), *_overlaps(after)])


def _overlaps(requests: Sequence[Request]) -> list[Interval]:
    first: dict[str, float] = {}
    last: dict[str, float] = {}
    for request in sorted(requests, key=attrgetter("answered_s")):
        version = request.version or ""
        first.setdefault(version, request.answered_s)
        last[version] = request.answered_s
    versions = list(first)
    pairs = [(old, new) for index, old in enumerate(versions) for new in versions[index + 1 :]]
    return [Interval(first[new], last[old]) for old, new in pairs if last[old] > first[new]]


def _union(stretches: Iterable[Interval]) -> tuple[Interval, ...]:
    joined: list[Interval] = []
    for stretch in sorted(stretches, key=lambda stretch: stretch.start_s):
        if joined and stretch.start_s <= joined[-1].end_s:
            joined[-1] = Interval(joined[-1].start_s, max(joined[-1].end_s, stretch.end_s))
        else:
            joined.append(stretch)
    return tuple(joined)


@dataclass(frozen=True, slots=True)
class Bin(Interval):
    """Requests planned within a stretch of time, by what became of them.

    Attributes
    ----------
    answered : mapping of str to int
        Good answers by version ("" where the program does not say).
    failed, unsent : int
        Lost requests, and requests that the client itself could not send.
    """

    answered: Mapping[str, int] = field(default_factory=dict)
    failed: int = 0
    unsent: int = 0

    def rate_per_s(self, count: int) -> float:
        """Return a count of this bin as requests per second."""
        return count / self.length_s


def bins(requests: Iterable[Request], width_s: float = 0.5) -> tuple[Bin, ...]:
    """Return requests by stretches of `width_s`, from the first planned one on.

    The last stretch ends where the plan does, so that its rate is not understated.
    """
    ordered = sorted(requests, key=_PLANNED)
    if not ordered:
        return ()
    start_s = ordered[0].planned_s
    gaps = [after.planned_s - before.planned_s for before, after in itertools.pairwise(ordered)]
    end_s = ordered[-1].planned_s + (median(gaps) if gaps else width_s)
    groups: dict[int, list[Request]] = {}
    for request in ordered:
        groups.setdefault(int((request.planned_s - start_s) / width_s + 1e-6), []).append(request)
    return tuple(
        _bin(
            start_s + index * width_s,
            min(start_s + (index + 1) * width_s, end_s),
            groups.get(index, []),
        )
        for index in range(max(groups) + 1)
    )


def _bin(start_s: float, end_s: float, requests: Sequence[Request]) -> Bin:
    answered = Counter(request.version or "" for request in requests if request.error is None)
    bad = [request.error for request in requests if request.error is not None]
    unsent = bad.count("unsent")
    return Bin(start_s, max(end_s, start_s + 1e-3), dict(answered), len(bad) - unsent, unsent)


def percentile(ordered: Sequence[float], share: float) -> float | None:
    """Return the value that a share of sorted values does not exceed; None of none."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else None


def latencies(
    requests: Iterable[Request], begin_s: float = 0.0, end_s: float = math.inf
) -> list[float]:
    """Return how long good answers took, from the planned instant on, sorted: of what began and ended in a stretch."""
    return sorted(
        request.answered_s - request.planned_s
        for request in requests
        if request.ok and begin_s <= request.planned_s and request.answered_s <= end_s
    )
