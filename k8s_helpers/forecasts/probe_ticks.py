"""One life of a container tick by tick: each question of its probes, its answer, and what it leads to.

Where `probes.forecast` bounds every instant whatever the ticks' phase, this follows one phase: what a drawing shows.
The rules are those of the kubelet's worker (`pkg/kubelet/prober/worker.go`), named in `probes`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from .probe_spec import KINDS, Answers, Probe, ProbeKind

_EPSILON_S = 1e-9
_MOST_CHECKS = 5000


@dataclass(frozen=True)
class ProbeCheck:
    """One tick of a probe.

    Attributes
    ----------
    at_s : float
        When it comes.
    kind : "startup", "readiness" or "liveness"
        Whose.
    asked : bool
        Whether the program was asked: not before the initial delay, nor while the startup probe decides.
    ok : bool
        Whether the answer was good.
    took_s : float
        How long the answer, or the wait for it, took.
    """

    at_s: float
    kind: ProbeKind
    asked: bool
    ok: bool = False
    took_s: float = 0.0


@dataclass(frozen=True)
class ProbeCourse:
    """What happened, in seconds after the start of the container.

    Attributes
    ----------
    checks : tuple of ProbeCheck
        In their order.
    ready_s, killed_s : float or None
        When it became Ready, when its probes had it killed (the life ends there); None for never.
    killer : "startup", "liveness" or None
        Which probe had it killed.
    until_s : float
        Where the simulation ends.
    """

    checks: tuple[ProbeCheck, ...]
    ready_s: float | None
    killed_s: float | None
    killer: ProbeKind | None
    until_s: float


def simulate(
    probes: Mapping[ProbeKind, Probe], answers: Answers, since_s: float, until_s: float
) -> ProbeCourse:
    """Return the life of a container whose program's instants are known exactly.

    Parameters
    ----------
    probes : mapping
        Of the container.
    answers : Answers
        Of the program; of each interval its beginning counts.
    since_s : float
        How long the pod had been on its node when the container started: ticks count from there. Above zero.
    until_s : float
        Where the simulation ends.
    """
    return _Simulation(probes, answers, since_s).run(until_s)


class _Simulation:
    def __init__(self, probes: Mapping[ProbeKind, Probe], answers: Answers, since_s: float) -> None:
        self._probes = probes
        self._good = {kind: answers.to(probe, {}).lo_s for kind, probe in probes.items()}
        self._answers = answers
        self._anchor = dict.fromkeys(probes, -since_s)
        self._due = {kind: self._next(kind, 0.0) for kind in probes}
        self._row: dict[ProbeKind, tuple[bool, int]] = {}
        self._started_s = math.inf if "startup" in probes else 0.0
        self._ready_s = math.inf if {"startup", "readiness"} & set(probes) else 0.0
        self._killed_s = math.inf
        self._killer: ProbeKind | None = None
        self._checks: list[ProbeCheck] = []

    def run(self, until_s: float) -> ProbeCourse:
        for _ in range(_MOST_CHECKS):
            kind = min(
                self._due, key=lambda kind: (self._due[kind], KINDS.index(kind)), default=None
            )
            if kind is None or self._due[kind] > min(until_s, self._killed_s):
                break
            self._tick(kind, self._due[kind])
        killed_s = self._within(self._killed_s, until_s)
        ready_s = self._within(self._ready_s, until_s if killed_s is None else killed_s)
        return ProbeCourse(
            tuple(self._checks),
            ready_s,
            killed_s,
            None if killed_s is None else self._killer,
            until_s,
        )

    @staticmethod
    def _within(at_s: float, until_s: float) -> float | None:
        return at_s if at_s <= until_s else None

    def _next(self, kind: ProbeKind, at_s: float) -> float:
        """Return the first tick after an instant."""
        period_s, anchor_s = self._probes[kind].period_s, self._anchor[kind]
        passed = math.floor((at_s - anchor_s) / period_s + _EPSILON_S)
        return anchor_s + (passed + 1) * period_s

    def _tick(self, kind: ProbeKind, at_s: float) -> None:
        probe = self._probes[kind]
        silent = (kind == "startup") == (self._started_s <= at_s)
        if at_s < probe.initial_delay_s or silent:
            self._checks.append(ProbeCheck(at_s, kind, False))
            self._due[kind] = self._next(kind, at_s)
            return
        ok = at_s >= self._good[kind]
        listening = at_s >= self._answers.listens.lo_s
        took_s = min(self._answers.takes_s, probe.timeout_s) if listening else 0.0
        self._checks.append(ProbeCheck(at_s, kind, True, ok, took_s))
        # A tick that came during a check is not lost: the next check follows at once.
        self._due[kind] = max(self._next(kind, at_s), at_s + took_s)
        last, times = self._row.get(kind, (ok, 0))
        times = times + 1 if last == ok else 1
        self._row[kind] = ok, times
        if ok and times == probe.successes:
            self._passed(kind, at_s + took_s)
        elif not ok and times == probe.failures and kind != "readiness":
            self._failed(kind, at_s + took_s)

    def _failed(self, kind: ProbeKind, at_s: float) -> None:
        if at_s < self._killed_s:
            self._killed_s, self._killer = at_s, kind

    def _passed(self, kind: ProbeKind, at_s: float) -> None:
        if kind == "startup":
            self._started_s = min(self._started_s, at_s)
            if "readiness" in self._probes:  # it is asked at once, and its ticks count from there
                self._anchor["readiness"] = self._due["readiness"] = at_s
            else:
                self._ready_s = at_s
        elif kind == "readiness":
            self._ready_s = min(self._ready_s, at_s)
