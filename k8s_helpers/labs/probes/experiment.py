"""One slow program, several ways to probe it, all started at the same instant under traffic."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from ..._errors import ApiRefusedError, WaitTimeoutError
from ..._interruption import stoppable
from ..._progress import Progress
from ...analysis import probe_log
from ...builds import images
from ...cluster import Cluster
from ...kube import manifests
from ...measure import slow_program
from ...measure.lane import Lane
from ...measure.measure import Measure
from ...measure.recording import Mark, Recording, Run
from ...measure.traffic import Traffic
from .codes import Moment
from .lab import LAB
from .summary import CUT, GOING_ON
from .variants import FILES, LATE_S, Variant, check, chosen
from .words import title

AFTER_S = 2.0
"""How long it goes on once the last variant is where it was to come."""
SLOW_S = 90.0
"""How much longer it waits for what was to come, on a machine where even a start is slow."""
ENOUGH_RESTARTS = 2
"""A variant in a restart loop is ended after these."""
_READ_S = 3.0


@stoppable
def measure(
    variants: Sequence[str] | Mapping[str, manifests.Source] = tuple(FILES),
    *,
    delay_s: float = 60.0,
    rate_per_s: float = 8.0,
    cluster: Cluster | None = None,
    progress: Progress | None = None,
) -> Recording:
    """Start the slow program with different probes at the same instant, and record what becomes of each.

    Each variant has a Deployment of one pod, a Service and traffic in a namespace of its own. Its run holds what its
    manifest let foresee (`predicted_ready_s`, `predicted_kill_s`) beside what was measured.

    Parameters
    ----------
    variants : sequence of str, or mapping of str to manifest
        Among "no-probe", "refusing", "readiness", "slide", "impatient", "startup"; or manifests of one's own by name,
        each with a Deployment and a Service.
    delay_s : float
        What the program's start takes, 2 to 300 s; the seconds of the course's probes shrink or grow with it.
    rate_per_s : float
        Requests per second on each variant, 1 to 50.
    cluster, progress : optional
        Otherwise those in use.

    Raises
    ------
    UsageError
        An unknown variant, a manifest that is not one, or a number out of its bounds.
    WaitTimeoutError
        No container of a variant ever started: says what its pods complain of. A pod that never gets Ready is no
        error: its run says so, and the measure ends in time.
    """
    check(variants, delay_s, rate_per_s)
    with LAB.open(cluster, progress, versions=()) as measure:
        measure.report("Préparation de l’image du programme lent")
        image = images.spring(measure.cluster, "v1", measure.progress)
        prepared = chosen(variants, delay_s, image)
        race = _Race(prepared, delay_s)
        parameters = {"delay_s": delay_s, "rate_per_s": rate_per_s, **image.parameters()}
        measure.together(
            {
                variant.name: partial(_run, measure, variant, race, parameters)
                for variant in prepared
            }
        )
        return measure.recording()


@dataclass
class _Race:
    """What variants under way know of each other: they start together, and the last to arrive ends the measure."""

    variants: Sequence[Variant]
    delay_s: float
    asked: set[str] = field(default_factory=set)
    """Those with a Service under traffic."""
    arrived: set[str] = field(default_factory=set)
    """Those that are where they were to come."""

    @property
    def usual_s(self) -> float:
        """How long it takes from the start on, at most, on a machine that is not slow."""
        ready = [variant.forecast.ready for variant in self.variants]
        return max([self.delay_s, *(span.hi_s for span in ready if span)]) + LATE_S

    def words(self) -> str:
        """Tell how many are Ready."""
        ready = [
            variant
            for variant in self.variants
            if variant.name in self.arrived and not variant.forecast.certain
        ]
        return f"Sondes : {len(ready)} variante(s) prête(s) sur {len(self.variants)}"

    def over(self, since_s: float) -> bool:
        """Whether nothing is to come any more, or it is time to end: so many seconds after the start."""
        awaited = [variant for variant in self.variants if variant.name not in self.arrived]
        late_s = SLOW_S if any(variant.comes for variant in awaited) else 0.0
        return not awaited or since_s > self.usual_s + late_s


def _run(measure: Measure, variant: Variant, race: _Race, parameters: Mapping[str, Any]) -> None:
    """Start one variant with the others, and wait until all are where they were to come."""
    own = {**parameters, **variant.parameters(), CUT: False, GOING_ON: True}
    with measure.lane(variant.name, title(variant.name), own) as lane:
        lane.step("Service et trafic")
        lane.namespace.apply(variant.service)  # nobody is behind it yet
        address = lane.namespace.service_url(variant.service_name, timeout_s=0)
        rate_per_s = own["rate_per_s"]
        traffic = Traffic(address, rate_per_s=rate_per_s, expected=slow_program.LOADED)
        log = _Log(lane, variant)
        with lane.recording(traffic, events=True, complete=log.complete):
            race.asked.add(variant.name)
            lane.until(lambda: len(race.asked) == len(race.variants))
            lane.step("démarrage simultané")
            lane.mark(Moment.APPLY)
            lane.namespace.apply(variant.deployment)
            _follow(lane, log, race, traffic)
            log.read()
            _require_started(lane)
            del lane.parameters[GOING_ON]


def _follow(lane: Lane, log: _Log, race: _Race, traffic: Traffic) -> None:
    """Wait until each variant is where it was to come, or until this one has turned round often enough."""
    variant = log.variant
    began_s = read_s = time.monotonic()

    def over() -> bool:
        nonlocal read_s
        now_s = time.monotonic()
        if now_s - read_s >= _READ_S:
            read_s = now_s
            log.read()
            lane.share = (now_s - began_s) / race.usual_s
            lane.measure.report(race.words())
        lane.parameters[CUT] = max(log.lives, default=0) >= ENOUGH_RESTARTS
        if _arrived(lane, variant, traffic):
            race.arrived.add(variant.name)
        return lane.parameters[CUT] or race.over(now_s - began_s)

    lane.until(over)
    if not lane.parameters[CUT] and len(race.arrived) == len(race.variants):
        lane.pause(AFTER_S)


def _arrived(lane: Lane, variant: Variant, traffic: Traffic) -> bool:
    """Whether a variant is where it was to come; one that comes nowhere waits for the end."""
    if variant.forecast.certain:
        return bool(lane.parameters[CUT])
    return variant.comes and any(request.ok for request in traffic.requests)


def _require_started(lane: Lane) -> None:
    """Refuse to conclude on a variant whose container never ran."""
    run = lane.run()
    if not any(event.kind == "started" for event in run.pods):
        warnings = [event.message for event in run.events if event.warning]
        raise WaitTimeoutError(
            f"Démarrer la variante « {lane.name} »",
            f"son conteneur n’a jamais démarré ({warnings[-1] if warnings else 'aucun événement'})",
            "Regardez l’image et les ressources de son manifeste, puis relancez la mesure.",
        )


class _Log:
    """What the program of a variant wrote, life by life of its container."""

    def __init__(self, lane: Lane, variant: Variant) -> None:
        self.variant = variant
        self.lives: dict[int, str] = {}
        self._lane = lane
        self._pod = ""
        self._stamp: str | None = None
        """When the API says that the container first started."""

    def read(self) -> None:
        """Note the logs of the container's last two lives, and when the first one started."""
        for pod in self._lane.namespace.list("pods"):
            for status in pod.get("status", {}).get("containerStatuses", ())[:1]:
                self._pod = pod["metadata"]["name"]
                last = status["restartCount"]
                self._read_life(status, last, previous=False)
                if last:
                    self._read_life(status, last - 1, previous=True)

    def _read_life(self, status: Mapping[str, Any], number: int, *, previous: bool) -> None:
        states = status.get("lastState" if previous else "state") or {}
        for state in states.values():
            if number == 0 and state.get("startedAt"):
                self._stamp = state["startedAt"]
        try:
            self.lives[number] = self._lane.namespace.logs(self._pod, previous=previous)
        except ApiRefusedError:  # it waits for its start, or has just gone
            return

    def complete(self, run: Run) -> Run:
        """Add to a run the probes that the program answered or missed, and the instants of its start."""
        lives = [text for _, text in sorted(self.lives.items())]
        answered = [
            result
            for result in probe_log.answered(
                lives, self._pod, self.variant.probes, self._lane.clock
            )
            if result.at_s <= run.ended_s
        ]
        results = [*answered, *probe_log.refused(run.events, answered)]
        marks = [*run.marks, *self._marks(lives, run)]
        return replace(
            run,
            requests=tuple(request for request in run.requests if request.planned_s <= run.ended_s),
            marks=tuple(sorted(marks, key=lambda mark: mark.at_s)),
            probes=tuple(sorted(results, key=lambda result: result.at_s)),
        )

    def _marks(self, lives: Sequence[str], run: Run) -> Iterator[Mark]:
        """Yield when the container started, when its port opened and when the program's own start was over."""
        clock = self._lane.clock
        seen_s = next((event.at_s for event in run.pods if event.kind == "started"), None)
        stamp_s = None if self._stamp is None else clock.from_stamp(self._stamp)
        starting_s = probe_log.first(lives[:1], "starting", clock)
        listening_s = probe_log.first(lives, "listening", clock)
        over_s = probe_log.first(lives, "delay over", clock)
        both = None if listening_s is None or over_s is None else max(listening_s, over_s)
        for moment, at_s in (
            (Moment.CONTAINER, probe_log.container_start(stamp_s, seen_s, starting_s)),
            (Moment.LISTENING, listening_s),
            (Moment.ANSWERING, both),
        ):
            if at_s is not None:
                yield Mark(at_s, moment, self._pod)
