"""What each kind of probe saw of a failure, and when the kubelet acted on it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ..forecasts.span import Span
from ..recording import Recording, Run
from .probes import SLACK_S
from .story import Story


@dataclass(frozen=True, slots=True)
class KindSummary:
    """One pod and its kind of probe; instants in seconds after what its probe asks began to fail.

    Attributes
    ----------
    kind : str
        "http", "tcp", "exec" or "grpc".
    asks : str
        What the probe asks, in French.
    passed : bool
        It passed before: the pod was in its Service.
    sees_the_program : bool
        It noticed that the program said to be in trouble.
    break_s, took_s : float
        When what it asks began to fail, on the run's clock, and how long it took to break it.
    predicted_unready, predicted_kill : Span
        When the kubelet had to take the pod out of its Service, and to kill its container.
    unready_s, left_s, kill_s, back_s : float or None
        When the pod was not Ready any more, left the endpoints, had its container killed, was in the endpoints again.
    restarts : int
        Of the container.
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
    unready_s: float | None
    left_s: float | None
    kill_s: float | None
    back_s: float | None
    restarts: int
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
    def order(self) -> str:
        """What came in which order, in French."""
        instants = {
            "quitte le Service": self.left_s,
            "conteneur tué": self.kill_s,
            "revient": self.back_s,
        }
        came = {name: at_s for name, at_s in instants.items() if at_s is not None}
        return ", ".join(sorted(came, key=lambda name: came[name]))

    def to_plain(self) -> dict[str, Any]:
        """Return the entry of `summary.json`."""
        instants = {
            "unready_s": self.unready_s,
            "left_s": self.left_s,
            "kill_s": self.kill_s,
            "back_s": self.back_s,
        }
        return {
            "asks": self.asks,
            "passed": self.passed,
            "sees_the_program": self.sees_the_program,
            "predicted_unready_s": self.predicted_unready.to_plain(),
            "predicted_kill_s": self.predicted_kill.to_plain(),
            **{name: None if at_s is None else round(at_s, 3) for name, at_s in instants.items()},
            "restarts": self.restarts,
            "said": self.said,
        }


def kind_summaries(run: Run) -> tuple[KindSummary, ...]:
    """Compute what became of each pod, in the order in which the kinds were asked for.

    Kinds whose probe is not broken yet (a chart that follows the measure) are left out.
    """
    broken = {mark.detail for mark in run.marks if mark.kind == "break"}
    return tuple(_summary(run, kind) for kind in run.parameters["kinds"] if kind in broken)


def mark_s(run: Run, what: str, kind: str) -> float | None:
    """Return when something was done to a kind's pod."""
    return _first(one.at_s for one in run.marks if (one.kind, one.detail) == (what, kind))


def _summary(run: Run, kind: str) -> KindSummary:
    told, pod = run.parameters["kinds"][kind], f"sonde-{kind}"
    break_s = mark_s(run, "break", kind) or 0.0
    fail_s = mark_s(run, "fail", kind) or 0.0
    complaints = [one for one in run.events if (one.reason, one.name) == ("Unhealthy", pod)]
    unready = [one.at_s for one in run.pods if (one.kind, one.pod) == ("unready", pod)]
    seen = (at_s for at_s in (*(one.at_s for one in complaints), *unready) if at_s >= fail_s)
    until_s = break_s if break_s - fail_s > SLACK_S else math.inf
    behind = [(one.at_s, pod in one.ready) for one in run.endpoints if one.service == pod]
    left_s = _after(break_s, (at_s for at_s, inside in behind if not inside))
    back_s = None if left_s is None else _after(left_s, (at_s for at_s, inside in behind if inside))
    # Events come a little late: the container may have died before the kubelet's words on it arrive.
    kills = [one.at_s for one in run.events if (one.reason, one.name) == ("Killing", pod)]
    kills += [one.at_s for one in run.pods if (one.kind, one.pod) == ("died", pod)]

    def since(at_s: float | None) -> float | None:
        return None if at_s is None else at_s - break_s

    broken_s = mark_s(run, "broken", kind) or break_s
    told_of = [one.message for one in complaints if one.at_s >= break_s]
    return KindSummary(
        kind=kind,
        asks=told["asks"],
        passed=any(inside for at_s, inside in behind if at_s < fail_s),
        sees_the_program=any(at_s < until_s for at_s in seen),
        break_s=break_s,
        took_s=broken_s - break_s,
        predicted_unready=Span(*told["unready_s"]),
        predicted_kill=Span(*told["kill_s"]),
        unready_s=since(_after(break_s, unready)),
        left_s=since(left_s),
        kill_s=since(_after(break_s, kills)),
        back_s=since(back_s),
        restarts=sum((one.kind, one.pod) == ("restarted", pod) for one in run.pods),
        said=told_of[0].partition(" probe failed: ")[2].strip() if told_of else "",
    )


def _first(instants: Iterable[float]) -> float | None:
    return min(instants, default=None)


def _after(at_s: float, instants: Iterable[float]) -> float | None:
    return _first(one for one in instants if one > at_s)


def probe_kinds_json(recording: Recording) -> dict[str, Any]:
    """Return what `summary.json` tells of each kind of probe."""
    return {"kinds": {found.kind: found.to_plain() for found in kind_summaries(recording.runs[0])}}


def probe_kinds_story(recording: Recording) -> Story:
    """Return what each kind must see and cause wherever it is measured."""
    verdicts: dict[str, object] = {}
    for found in kind_summaries(recording.runs[0]):
        verdicts[f"{found.kind} : réussit d’abord"] = found.passed
        verdicts[f"{found.kind} : voit la panne du programme"] = found.sees_the_program
        verdicts[f"{found.kind} : ordre"] = found.order
        verdicts[f"{found.kind} : relances"] = found.restarts
        verdicts[f"{found.kind} : comme prévu"] = found.as_predicted
    return Story(verdicts, {})
