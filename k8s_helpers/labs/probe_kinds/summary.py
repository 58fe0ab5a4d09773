"""What each kind of probe saw of a failure, and when the kubelet acted on it."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from ...analysis.pods import in_service, instants
from ...analysis.probe_failure import Consequences, consequences, reported
from ...analysis.story import Story, plain
from ...forecasts.span import SLACK_S, Span
from ...measure.recording import ClusterEvent, Recording, Run
from . import words
from .codes import Consequence, KindMark


@dataclass(frozen=True, slots=True)
class KindSummary(Consequences):
    """One pod and its kind of probe, and what became of it after what its probe asks began to fail.

    Attributes
    ----------
    kind : str
        "http", "tcp", "exec" or "grpc".
    asks : str
        What the probe asks: the field of the manifest, then its values ("httpGet /healthz/live 8080").
    passed : bool
        It passed before: the pod was in its Service.
    sees_the_program : bool
        It noticed that the program said to be in trouble.
    break_s, took_s : float
        When what it asks began to fail, on the run's clock, and how long it took to break it.
    predicted_unready, predicted_kill : Span
        When the kubelet had to take the pod out of its Service, and to kill its container.
    said : str
        The kubelet's words on the first failure.
    """

    kind: str
    asks: str
    passed: bool
    sees_the_program: bool
    break_s: float
    took_s: float
    predicted_unready: Span
    predicted_kill: Span
    said: str

    @property
    def as_predicted(self) -> bool:
        """Whether both consequences came when they had to."""
        pairs = ((self.unready_s, self.predicted_unready), (self.kill_s, self.predicted_kill))
        return all(
            at_s is not None and Span(span.lo_s, span.hi_s + self.took_s).holds(at_s, SLACK_S)
            for at_s, span in pairs
        )

    @property
    def order(self) -> list[Consequence]:
        """What came, in the order in which it did."""
        instants = {
            Consequence.LEFT: self.left_s,
            Consequence.KILLED: self.kill_s,
            Consequence.BACK: self.back_s,
        }
        came = {name: at_s for name, at_s in instants.items() if at_s is not None}
        return sorted(came, key=lambda name: came[name])

    def to_plain(self) -> dict[str, Any]:
        """Return the entry of `summary.json`."""
        return {
            "asks": words.asked(self.asks),
            "predicted_unready_s": self.predicted_unready.to_plain(),
            "predicted_kill_s": self.predicted_kill.to_plain(),
            **plain(self, "unready_s", "left_s", "kill_s", "back_s"),
            **plain(self, "passed", "sees_the_program", "restarts", "said"),
        }


def pod_of(kind: str) -> str:
    """Return the name of a kind's pod, and of its Service."""
    return f"sonde-{kind}"


def summarize(run: Run) -> tuple[KindSummary, ...]:
    """Compute what became of each pod, in the order in which the kinds were asked for.

    Kinds whose probe is not broken yet (a chart that follows the measure) are left out.
    """
    broken = {mark.detail for mark in run.marks if mark.kind == KindMark.BREAK}
    return tuple(_summary(run, kind) for kind in run.parameters["kinds"] if kind in broken)


def mark_s(run: Run, what: KindMark, kind: str) -> float | None:
    """Return when something was done to a kind's pod."""
    return next((mark.at_s for mark in run.marks if (mark.kind, mark.detail) == (what, kind)), None)


def complaints(run: Run, kind: str) -> list[ClusterEvent]:
    """Return what the kubelet said of failures of a kind's probes."""
    return reported(run, "Unhealthy", pod_of(kind))


def _summary(run: Run, kind: str) -> KindSummary:
    asked, pod = run.parameters["kinds"][kind], pod_of(kind)
    break_s = mark_s(run, KindMark.BREAK, kind) or 0.0
    fail_s = mark_s(run, KindMark.FAIL, kind) or 0.0
    broken_s = mark_s(run, KindMark.BROKEN, kind) or break_s
    said = complaints(run, kind)
    seen = [event.at_s for event in said] + instants(run, "unready", pod)
    until_s = break_s if break_s - fail_s > SLACK_S else math.inf
    messages = [event.message for event in said if event.at_s >= break_s]
    return KindSummary(
        **asdict(consequences(run, pod, pod, break_s)),
        kind=kind,
        asks=asked["asks"],
        passed=any(stretch.start_s < fail_s for stretch in in_service(run, pod).get(pod, ())),
        sees_the_program=any(fail_s <= at_s < until_s for at_s in seen),
        break_s=break_s,
        took_s=broken_s - break_s,
        predicted_unready=Span(*asked["unready_s"]),
        predicted_kill=Span(*asked["kill_s"]),
        said=messages[0].partition(" probe failed: ")[2].strip() if messages else "",
    )


def to_json(recording: Recording) -> dict[str, Any]:
    """Return what each kind of probe asked, saw and caused."""
    return {"kinds": {kind.kind: kind.to_plain() for kind in summarize(recording.runs[0])}}


def to_story(recording: Recording) -> Story:
    """Return what each kind must see and cause wherever it is measured."""
    return Story.of(
        {
            summary.kind: {
                "passes-first": summary.passed,
                "sees-the-program": summary.sees_the_program,
                "order": summary.order,
                "restarts": summary.restarts,
                "as-predicted": summary.as_predicted,
            }
            for summary in summarize(recording.runs[0])
        },
        {},
    )
