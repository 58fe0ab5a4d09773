"""What a changed label did: when the pod left its Service, when another one came, that both go on."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from ...analysis.outcomes import failed
from ...analysis.pods import in_service, lives
from ...analysis.story import Story
from ...measure.recording import Recording, Run

_ON_THE_WAY_S = 1.0
"""Requests that left within this of the change of endpoints may still have gone to the old ones."""


@dataclass(frozen=True, slots=True)
class RelabelSummary:
    """What became of a pod whose label was changed.

    Attributes
    ----------
    pod : str
        Its name.
    left_s : float or None
        From the change until its Service did not have it any more; None where it stayed.
    replaced_s : float or None
        From the change until another pod was ready; None where none came.
    replacements : tuple of str
        Pods that were made after the change.
    over : bool
        The pod was looked at again at the end.
    alive : bool
        Whether it still runs at the end.
    owner_before, owner_after : str or None
        Its controller before and after the change.
    answers_after : int
        Requests that it answered once it was well out of the Service.
    requests, failed : int
        Requests that were due, and those that were lost.
    """

    pod: str
    left_s: float | None
    replaced_s: float | None
    replacements: tuple[str, ...]
    over: bool
    alive: bool
    owner_before: str | None
    owner_after: str | None
    answers_after: int
    requests: int
    failed: int


def summarize(run: Run) -> RelabelSummary:
    """Compute what became of the pod."""
    pod = str(run.parameters["pod"])
    change = run.mark("label")
    since_s = change.at_s if change else 0.0
    stretches = in_service(run, str(run.parameters["service"])).get(pod, ())
    left = [stretch.end_s for stretch in stretches if since_s <= stretch.end_s < run.ended_s]
    pods = lives(run)
    others = [life for life in pods if life.created_s >= since_s]
    ready = [life.ready[0].start_s for life in others if life.ready]
    out_s = (left[-1] if left else run.ended_s) + _ON_THE_WAY_S
    return RelabelSummary(
        pod=pod,
        left_s=left[-1] - since_s if left else None,
        replaced_s=min(ready) - since_s if ready else None,
        replacements=tuple(life.pod for life in others),
        over="owner_after" in run.parameters,
        alive=any(life.pod == pod and life.terminating_s is None for life in pods),
        owner_before=run.parameters.get("owner_before"),
        owner_after=run.parameters.get("owner_after"),
        answers_after=sum(
            request.pod == pod and request.sent_s > out_s for request in run.requests
        ),
        requests=len(run.requests),
        failed=len(failed(run.requests)),
    )


def to_json(recording: Recording) -> dict[str, Any]:
    """Return what `summary.json` tells of the change."""
    facts = asdict(summarize(recording.runs[0]))
    del facts["over"]
    return {**facts, "replacements": list(facts["replacements"])}


def to_story(recording: Recording) -> Story:
    """Return what the change must tell wherever it is measured."""
    summary = summarize(recording.runs[0])
    verdicts: dict[str, object] = {
        "leaves-service": summary.left_s is not None,
        "created": len(summary.replacements),
        "alive": summary.alive,
        "owned-by-replicaset": (summary.owner_before or "").startswith("ReplicaSet/"),
        "owned-by-nobody": summary.owner_after is None,
        "answers-for-service": summary.answers_after > 0,
        "loses-requests": summary.failed > 0,
    }
    times = {"left": summary.left_s, "replaced": summary.replaced_s}
    return Story(verdicts, {name: at_s for name, at_s in times.items() if at_s is not None})
