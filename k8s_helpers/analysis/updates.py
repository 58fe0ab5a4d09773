"""What an update did to users and what it took: its numbers, from one run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from operator import attrgetter

from ..measure.recording import Incident, Run
from .outcomes import failed, mixed, outages
from .pods import counts


@dataclass(frozen=True, slots=True)
class UpdateSummary:
    """What an update did to users and what it took.

    Attributes
    ----------
    strategy : str
        Name of the run.
    requests, failed, unsent : int
        Requests that were due; those that left and were lost; those that the client itself could not send.
    outage_s : float
        Seconds without any good answer.
    peak_pods : int
        Most pods at once, those that end included.
    lowest_ready : int
        Fewest ready pods at once, from the update on.
    mixed_s : float
        Seconds during which both versions answered.
    duration_s : float or None
        From the mark "apply" to the mark "complete"; None where the update did not complete.
    back_s : float or None
        From the mark "switch-back" until only the old version answered; None where there was no way back.
    errors : mapping of str to int
        Lost requests by kind of error.
    incidents : tuple of Incident
        What went wrong in the cluster itself: a run that has some is to be made again.
    """

    strategy: str
    requests: int
    failed: int
    unsent: int
    outage_s: float
    peak_pods: int
    lowest_ready: int
    mixed_s: float
    duration_s: float | None
    back_s: float | None
    errors: Mapping[str, int]
    incidents: tuple[Incident, ...]


def summarize(run: Run) -> UpdateSummary:
    """Compute the numbers of one update."""
    lost = failed(run.requests)
    steps = counts(run)
    apply, complete = run.mark("apply"), run.mark("complete")
    since_s = apply.at_s if apply else 0.0
    before = [step for step in steps if step.at_s <= since_s][-1:]
    return UpdateSummary(
        strategy=run.name,
        requests=len(run.requests),
        failed=len(lost),
        unsent=sum(request.error == "unsent" for request in run.requests),
        outage_s=sum(stretch.length_s for stretch in outages(run.requests)),
        peak_pods=max((step.total for step in steps), default=0),
        lowest_ready=min(
            (step.ready for step in [*before, *(step for step in steps if step.at_s > since_s)]),
            default=0,
        ),
        mixed_s=sum(stretch.length_s for stretch in mixed(run)),
        duration_s=complete.at_s - apply.at_s if apply and complete else None,
        back_s=_back(run),
        errors=dict(Counter(str(request.error) for request in lost)),
        incidents=run.incidents,
    )


def _back(run: Run) -> float | None:
    mark = run.mark("switch-back")
    if mark is None:
        return None
    good = sorted((request for request in run.requests if request.ok), key=attrgetter("planned_s"))
    after = [request for request in good if request.answered_s >= mark.at_s]
    returned_s = [request.answered_s for request in after if request.version == good[0].version]
    strays_s = [request.answered_s for request in after if request.version != good[0].version]
    return max([min(returned_s), *strays_s]) - mark.at_s if returned_s else None
