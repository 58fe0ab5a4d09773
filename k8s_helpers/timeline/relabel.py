"""What a changed label did: when the pod left its Service, when another one came, that both go on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..recording import Recording, Run
from .outcomes import failed
from .pods import Interval, lives
from .story import Story

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
    alive: bool
    owner_before: str | None
    owner_after: str | None
    answers_after: int
    requests: int
    failed: int


def in_service(run: Run, service: str) -> dict[str, tuple[Interval, ...]]:
    """Return when each pod was among the ready addresses of a Service, by its name."""
    since: dict[str, float] = {}
    found: dict[str, list[Interval]] = {}
    for event in sorted(run.endpoints, key=lambda one: one.at_s):
        if event.service != service:
            continue
        for pod in set(since) - set(event.ready):
            found.setdefault(pod, []).append(Interval(since.pop(pod), event.at_s))
        for pod in set(event.ready) - set(since):
            since[pod] = max(0.0, event.at_s)
    for pod, at_s in since.items():
        found.setdefault(pod, []).append(Interval(at_s, run.ended_s))
    return {pod: tuple(stretches) for pod, stretches in found.items()}


def relabel_summary(run: Run) -> RelabelSummary:
    """Compute what became of the pod."""
    pod = str(run.parameters["pod"])
    change = run.mark("label")
    since_s = change.at_s if change else 0.0
    stretches = in_service(run, str(run.parameters["service"])).get(pod, ())
    left = [one.end_s for one in stretches if since_s <= one.end_s < run.ended_s]
    found = lives(run)
    others = [life for life in found if life.created_s >= since_s]
    ready = [life.ready[0].start_s for life in others if life.ready]
    out_s = (left[-1] if left else run.ended_s) + _ON_THE_WAY_S
    return RelabelSummary(
        pod=pod,
        left_s=left[-1] - since_s if left else None,
        replaced_s=min(ready) - since_s if ready else None,
        replacements=tuple(life.pod for life in others),
        alive=any(life.pod == pod and life.terminating_s is None for life in found),
        owner_before=run.parameters.get("owner_before"),
        owner_after=run.parameters.get("owner_after"),
        answers_after=sum(one.pod == pod and one.sent_s > out_s for one in run.requests),
        requests=len(run.requests),
        failed=len(failed(run.requests)),
    )


def relabel_json(recording: Recording) -> dict[str, Any]:
    """Return what `summary.json` tells of the change."""
    summary = relabel_summary(recording.runs[0])
    return {
        "pod": summary.pod,
        "left_s": summary.left_s,
        "replaced_s": summary.replaced_s,
        "replacements": list(summary.replacements),
        "alive": summary.alive,
        "owner_before": summary.owner_before,
        "owner_after": summary.owner_after,
        "answers_after": summary.answers_after,
        "requests": summary.requests,
        "failed": summary.failed,
    }


def relabel_story(recording: Recording) -> Story:
    """Return what the change must tell wherever it is measured."""
    summary = relabel_summary(recording.runs[0])
    verdicts: dict[str, object] = {
        "quitte son Service": summary.left_s is not None,
        "pods créés": len(summary.replacements),
        "tourne encore": summary.alive,
        "avait un ReplicaSet": (summary.owner_before or "").startswith("ReplicaSet/"),
        "n’appartient plus à personne": summary.owner_after is None,
        "répond encore au Service": summary.answers_after > 0,
        "perd des requêtes": summary.failed > 0,
    }
    times = {"sortie du Service": summary.left_s, "remplaçant prêt": summary.replaced_s}
    return Story(verdicts, {name: at_s for name, at_s in times.items() if at_s is not None})
