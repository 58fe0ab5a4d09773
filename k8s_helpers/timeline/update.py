"""The numbers of one update: what users lost, what it took."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..recording import Incident, Recording, Run
from .outcomes import failed, mixed, outages
from .pods import counts
from .story import Story


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

    def to_plain(self) -> dict[str, Any]:
        """Return the entry of `summary.json` for this strategy."""
        duration_s = None if self.duration_s is None else round(self.duration_s, 3)
        return {
            "requests": self.requests,
            "failed": self.failed,
            "outage_s": round(self.outage_s, 3),
            "peak_pods": self.peak_pods,
            "mixed_s": round(self.mixed_s, 3),
            "duration_s": duration_s,
        }


def update_summary(run: Run) -> UpdateSummary:
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
        unsent=sum(one.error == "unsent" for one in run.requests),
        outage_s=sum(stretch.length_s for stretch in outages(run.requests)),
        peak_pods=max((step.total for step in steps), default=0),
        lowest_ready=min(
            (step.ready for step in [*before, *(s for s in steps if s.at_s > since_s)]), default=0
        ),
        mixed_s=sum(stretch.length_s for stretch in mixed(run)),
        duration_s=complete.at_s - apply.at_s if apply and complete else None,
        back_s=_back(run),
        errors=dict(Counter(str(one.error) for one in lost)),
        incidents=run.incidents,
    )


def _back(run: Run) -> float | None:
    mark = run.mark("switch-back")
    if mark is None:
        return None
    after = [one for one in run.requests if one.ok and one.answered_s >= mark.at_s]
    old = next(
        (one.version for one in sorted(run.requests, key=lambda one: one.planned_s) if one.ok), None
    )
    returned = [one.answered_s for one in after if one.version == old]
    if not returned:
        return None
    strays = [one.answered_s for one in after if one.version != old]
    return max([min(returned), *strays]) - mark.at_s


def update_json(recording: Recording) -> dict[str, Any]:
    """Return what `summary.json` tells of the strategies."""
    return {"strategies": {run.name: update_summary(run).to_plain() for run in recording.runs}}


def update_story(recording: Recording) -> Story:
    """Return what an update must tell wherever it is measured: who loses requests, how long each takes."""
    found = {run.name: update_summary(run) for run in recording.runs}
    verdicts: dict[str, object] = {}
    durations: dict[str, float] = {}
    for name, summary in found.items():
        verdicts[f"{name} : perd des requêtes"] = summary.failed > 0
        verdicts[f"{name} : interrompt le service"] = summary.outage_s > 0
        verdicts[f"{name} : mêle les versions"] = summary.mixed_s > 1
        if summary.duration_s is not None:
            durations[f"{name} : durée"] = summary.duration_s
        if summary.outage_s:
            durations[f"{name} : interruption"] = summary.outage_s
    return Story(verdicts, durations)
