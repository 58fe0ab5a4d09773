"""When a container becomes Ready and when its probes kill it, from its manifest and what is known of its program.

The rules are the kubelet's (`pkg/kubelet/prober/worker.go` and `prober_manager.go`, Kubernetes 1.37):

- A probe is checked at the ticks of its period, which began to count when the pod came to the node. So the first check
  after an instant comes up to one period later, and the end of `initialDelaySeconds` is no check: it only lets ticks
  count (`run`, `doProbe`).
- Until the initial delay is over, readiness counts as failed and liveness as passed (`newWorker`).
- A state changes after `failureThreshold` or `successThreshold` equal answers in a row (`doProbe`).
- As long as the startup probe has not passed, the other two are not checked; once it has, readiness is checked at once
  (`UpdatePodStatus`).
- A killed container starts again at once the first time, then waits 10 s, 20 s, 40 s … since its last end
  (`doBackOff` of `kuberuntime_manager.go`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from .._french import NO_BREAK, number
from .probe_spec import AT_ONCE, KINDS, NEVER, Answers, Probe, ProbeKind, container_of, probes_of
from .span import Span

RELIST_S = 1.0
"""How long the kubelet may take to see that a container runs (`genericPlegRelistPeriod` of `kubelet.go`)."""
_LOOKS_AT_START = 3
"""How often readiness is asked at most in the first second: a pod whose container has started is looked at again."""
BACK_OFF_S = 10.0
LONGEST_BACK_OFF_S = 300.0

_MOST_KILLS = 50


@dataclass(frozen=True)
class Forecast:
    """What must happen to a container.

    Attributes
    ----------
    ready : Span or None
        When it becomes Ready; None for never.
    kills : tuple of Span
        When its probes have it killed, one after the other, up to the horizon that was asked for, all in seconds after
        the start of its first life.
    certain : bool
        Whether the first kill must come; otherwise it depends on when exactly the ticks fall.
    killer : "startup", "liveness" or None
        Which probe kills.
    rows : tuple of str
        All of it, in French sentences.
    """

    ready: Span | None
    kills: tuple[Span, ...]
    certain: bool
    killer: ProbeKind | None
    rows: tuple[str, ...]

    @property
    def kill(self) -> Span | None:
        """When it is first killed; None for never."""
        return self.kills[0] if self.kills else None

    def __str__(self) -> str:
        return "\n".join(self.rows)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return "<ul>" + "".join(f"<li>{row}</li>" for row in self.rows) + "</ul>"


def forecast(
    manifest: str | Mapping[str, Any], answers: Answers, horizon_s: float = 120.0
) -> Forecast:
    """Return when a container becomes Ready and when it is killed.

    Parameters
    ----------
    manifest : str or mapping
        See `container_of`.
    answers : Answers
        What is known of the program.
    horizon_s : float
        Kills after this many seconds are left out.
    """
    container = container_of(manifest)
    probes = probes_of(container)
    ports = {
        one["name"]: one["containerPort"] for one in container.get("ports") or () if "name" in one
    }
    good = {kind: answers.to(probe, ports) for kind, probe in probes.items()}
    early, late = (
        _Life(probes, {kind: span[end] for kind, span in good.items()}, answers.takes_s)
        for end in (0, 1)
    )
    # The later a program answers, the later it is Ready and the more surely it is killed: its two extremes bound all.
    certain, killer = early.killed_surely, late.killer
    kills: tuple[Span, ...] = ()
    if killer is not None:
        kill = _either(early.kill, late.kill)
        kills = tuple(_loop(kill, answers.stops, horizon_s))
    ready = None
    first_s = early.ready.lo_s
    # One that is surely killed may well have been Ready until then: one probe passes, and another does not.
    if not math.isinf(first_s) and not (certain and first_s >= kills[0].hi_s):
        ready = Span(early.ready.lo_s, late.ready.hi_s)
    made = Forecast(ready, kills, certain, killer, ())
    return replace(made, rows=tuple(_sentences(made, probes, good)))


class _Life:
    """One life of a container whose program's instants are known."""

    def __init__(
        self,
        probes: Mapping[ProbeKind, Probe],
        good: Mapping[ProbeKind, float],
        takes_s: float,
    ) -> None:
        self.takes_s = takes_s
        self.killer: ProbeKind | None = None
        self.killed_surely = False
        self.kill = NEVER
        started = AT_ONCE
        if (startup := probes.get("startup")) is not None:
            started = startup.passes_after(good["startup"], takes_s=takes_s)
            self._may_kill(startup, AT_ONCE, good["startup"])
        liveness = probes.get("liveness")
        if liveness is not None and not math.isinf(started.lo_s) and not self.killed_surely:
            self._may_kill(liveness, started, good["liveness"])
        self.ready = self._ready(probes, started, good)

    def _may_kill(self, probe: Probe, since: Span, good_s: float) -> None:
        """Note the probe as the killer where enough checks may come before the program answers well."""
        found = Span(probe.fails_after(since.lo_s).lo_s, probe.fails_after(since.hi_s).hi_s)
        if found.lo_s < good_s:
            if found.lo_s < self.kill.lo_s:
                self.killer = probe.kind
            self.kill = _either(self.kill, found)
            self.killed_surely = self.killed_surely or found.hi_s < good_s

    def _ready(
        self, probes: Mapping[ProbeKind, Probe], started: Span, good: Mapping[ProbeKind, float]
    ) -> Span:
        readiness = probes.get("readiness")
        if readiness is None:
            return Span(started.lo_s, started.hi_s + RELIST_S)
        good_s = good["readiness"]
        if "startup" not in probes:
            found = readiness.passes_after(good_s, takes_s=self.takes_s)
            return Span(found.lo_s - _hurry_s(readiness, good_s), found.hi_s)
        lo = readiness.passes_after(
            max(good_s, started.lo_s), at_once=True, takes_s=self.takes_s
        ).lo_s
        lo -= _hurry_s(readiness, good_s - started.lo_s)
        # Where the program is ready before it passes for started, the check that follows at once decides.
        counts = max(good_s, readiness.initial_delay_s) <= started.lo_s
        hi = readiness.passes_after(
            max(good_s, started.hi_s), at_once=counts, takes_s=self.takes_s
        ).hi_s
        return Span(lo, hi + RELIST_S)


def _hurry_s(readiness: Probe, late_s: float) -> float:
    """Return by how much sooner than by its period a container may be Ready that needs several successes.

    Until it is Ready, each look at its pod asks once more, and right after its start the kubelet looks several times.
    """
    asked_again = min(readiness.successes - 1, _LOOKS_AT_START - 1)
    hurries = max(late_s, readiness.initial_delay_s) <= RELIST_S
    return asked_again * readiness.period_s if hurries else 0.0


def _either(one: Span, other: Span) -> Span:
    """Return when it may be killed where both may do it; NEVER does not."""
    return (
        other
        if one == NEVER
        else one
        if other == NEVER
        else Span(min(one.lo_s, other.lo_s), max(one.hi_s, other.hi_s))
    )


def _loop(kill: Span, stops: Span, horizon_s: float) -> Iterator[Span]:
    """Yield the kills of a container whose lives are all alike."""
    start, end, delay_s = AT_ONCE, Span(-math.inf, -math.inf), 0.0
    for _ in range(_MOST_KILLS):
        found = Span(start.lo_s + kill.lo_s, start.hi_s + kill.hi_s)
        if found.lo_s > horizon_s:
            return
        yield found
        over = Span(found.lo_s + stops.lo_s, found.hi_s + stops.hi_s)
        # What is killed to be replaced is measured by the end before this one; where that is not over, by this one.
        at_once = over.hi_s >= end.lo_s + delay_s
        waits = over.lo_s < end.hi_s + delay_s
        start = Span(
            over.lo_s if at_once else over.lo_s + delay_s,
            over.hi_s + (delay_s if waits else 0.0) + RELIST_S,
        )
        end = over
        delay_s = min(delay_s * 2, LONGEST_BACK_OFF_S) if delay_s else BACK_OFF_S


def _sentences(
    found: Forecast, probes: Mapping[ProbeKind, Probe], good: Mapping[ProbeKind, Span]
) -> Iterator[str]:
    """Tell a forecast and where it comes from."""
    colon = f"{NO_BREAK}:"
    if found.ready is None:
        yield f"Jamais Ready{colon} {_why_never(found, probes, good)}."
    else:
        yield f"Ready {found.ready.words()}{colon} {_why_ready(probes, good)}."
    if found.kill is None or found.killer is None:
        yield "Jamais tué par une sonde."
        return
    probe = probes[found.killer]
    head = "Tué une première fois" if found.certain else "Peut-être tué"
    yield (
        f"{head} {found.kill.words()}{colon} {_times(probe.failures)} de la sonde {probe.kind}, toutes les "
        f"{number(probe.period_s)}{NO_BREAK}s à partir de {number(probe.initial_delay_s)}{NO_BREAK}s."
    )
    if found.certain and len(found.kills) > 1:
        later = ", ".join(span.words() for span in found.kills[1:3])
        yield f"Puis relancé et tué de nouveau{colon} {later}{'…' if len(found.kills) > 3 else '.'}"


def _times(failures: int) -> str:
    return "un échec" if failures == 1 else f"{failures} échecs de suite"


def _why_ready(probes: Mapping[ProbeKind, Probe], good: Mapping[ProbeKind, Span]) -> str:
    if not set(probes) & {"readiness", "startup"}:
        return "sans sonde readiness, un conteneur lancé passe pour prêt"
    kind: ProbeKind = "startup" if "startup" in probes else "readiness"
    probe = probes[kind]
    words = (
        f"le programme répond bien à la sonde {kind} {good[kind].words()}, et elle ne demande que toutes les "
        f"{number(probe.period_s)}{NO_BREAK}s"
    )
    return words + (" ; readiness suit aussitôt" if set(probes) >= {"startup", "readiness"} else "")


def _why_never(
    found: Forecast, probes: Mapping[ProbeKind, Probe], good: Mapping[ProbeKind, Span]
) -> str:
    if found.certain:
        return f"la sonde {found.killer} le fait tuer avant qu’il ne réponde"
    kind = next((kind for kind in KINDS if kind in probes and math.isinf(good[kind].hi_s)), None)
    return f"le programme ne répond jamais bien à la sonde {kind} (port, chemin ou délai)"
