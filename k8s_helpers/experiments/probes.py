"""One slow program, several ways to probe it, all started at the same instant under traffic."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime
from typing import Any

from .. import images, manifests
from .._errors import ApiRefusedError, WaitTimeoutError
from .._interruption import stoppable
from .._progress import Progress
from ..charts.probes import probes as draw
from ..cluster import Cluster
from ..load import Traffic
from ..recorder import Clock, Recorder
from ..recording import Mark, ProbeResult, Recording, Run
from ..timeline.probes import GOING_ON
from . import probe_log
from .play import Play, Show, opened
from .stage import part_of
from .variants import FILES, LATE_S, Variant, check, chosen

AFTER_S = 2.0
"""How long it goes on once the last variant is where it was to come."""
SLOW_S = 90.0
"""How much longer it waits for what was to come, on a machine where even a start is slow."""
ENOUGH_RESTARTS = 2
"""A variant in a restart loop is ended after these."""
_READ_S = 3.0


@stoppable
def probes(
    variants: Sequence[str] | Mapping[str, manifests.Source] = tuple(FILES),
    *,
    delay_s: float = 60.0,
    rate_per_s: float = 8.0,
    cluster: Cluster | None = None,
    progress: Progress | None = None,
) -> Recording:
    """Start the slow program with different probes at the same instant, and record what becomes of each.

    Each variant has a Deployment of one pod, a Service and traffic of its own. Its run holds what its manifest let
    foresee (`predicted_ready_s`, `predicted_kill_s`) beside what was measured.

    Parameters
    ----------
    variants : sequence of str, or mapping of str to manifest
        Among "no-probe", "readiness", "slide", "impatient", "startup"; or manifests of one's own by name, each with a
        Deployment and a Service.
    delay_s : float
        What the program's start takes, 2 to 300 s; the seconds of the course's probes shrink or grow with it.
    rate_per_s : float
        Requests per second on each variant, 1 to 50.
    cluster : Cluster, optional
        Otherwise the one that `connect` returned.
    progress : Progress, optional
        Told each step; otherwise what fits (notebook, terminal, log).

    Raises
    ------
    UsageError
        An unknown variant, a manifest that is not one, or a number out of its bounds.
    WaitTimeoutError
        No container of a variant ever started: says what its pods complain of. A pod that never gets Ready is no
        error: its run says so, and the measure ends in time.
    """
    check(variants, delay_s, rate_per_s)
    with opened("probes", "10_sondes", cluster, progress, versions=(), draw=draw) as show:
        show.progress.step("Préparation de l’image du programme lent")
        image = images.spring(show.cluster, "v1", show.progress)
        made = chosen(variants, delay_s, image)
        shared: dict[str, Any] = {
            "delay_s": delay_s,
            "rate_per_s": rate_per_s,
            **image.parameters(),
        }
        with show.play("sondes", "Sondes", **shared) as play:
            race = _Race(show, play, made, rate_per_s)
            race.run(delay_s)
            show.runs[:] = race.runs()
        return show.recording()


class _Lane:
    """One variant under way."""

    def __init__(self, variant: Variant, traffic: Traffic) -> None:
        self.variant = variant
        self.traffic = traffic
        self.lives: dict[int, str] = {}
        """Log of each life of its container."""
        self.pod = ""
        self.stamp_wall_s: float | None = None
        """When the API says that its container first started."""
        self.cut_s: float | None = None


class _Race:
    """All variants in one namespace, on one clock."""

    def __init__(
        self, show: Show, play: Play, variants: Sequence[Variant], rate_per_s: float
    ) -> None:
        self._show = show
        self._play = play
        self._variants = variants
        self._rate_per_s = rate_per_s
        self._lanes: list[_Lane] = []
        self._read_s = 0.0

    def run(self, delay_s: float) -> None:
        """Start all, and wait until each is where it was to come, or until it is time to end."""
        play = self._play
        with ExitStack() as measuring:
            play.step("Services et trafic")
            for one in self._variants:
                self._lanes.append(self._open(one, measuring))
            zero_s = self._lanes[0].traffic.zero_monotonic_s
            self._recorder = measuring.enter_context(
                Recorder(
                    self._show.cluster,
                    play.namespace,
                    "sondes",
                    zero_monotonic_s=zero_s,
                    events=True,
                )
            )
            play.record(self._recorder, None, lambda: self._show.follow(self._runs_so_far))
            play.step("démarrage simultané")
            play.mark("apply")
            with ThreadPoolExecutor(len(self._lanes)) as pool:
                list(pool.map(play.namespace.apply, [one.deployment for one in self._variants]))
            self._wait(delay_s)
            self._read()
            measuring.close()
        self._require_started()

    def _open(self, variant: Variant, measuring: ExitStack) -> _Lane:
        """Apply a variant's Service and send traffic to it: nobody is behind it yet."""
        namespace = self._play.namespace
        namespace.apply(variant.service)
        address = namespace.service_url(variant.service_name, timeout_s=0)
        zero_s = self._lanes[0].traffic.zero_monotonic_s if self._lanes else None
        traffic = Traffic(address, rate_per_s=self._rate_per_s, zero_monotonic_s=zero_s)
        return _Lane(variant, measuring.enter_context(traffic))

    # --- waiting

    def _wait(self, delay_s: float) -> None:
        foreseen = [one.forecast.ready.hi_s for one in self._variants if one.forecast.ready]
        usual_s = self._recorder.now_s + max([delay_s, *foreseen]) + LATE_S
        done_s: float | None = None

        def over() -> bool:
            nonlocal done_s
            now_s = self._recorder.now_s
            self._look(now_s, usual_s)
            awaited = [lane for lane in self._lanes if not self._arrived(lane)]
            if done_s is None and not awaited:
                done_s = now_s
            hopeful = any(lane.variant.comes for lane in awaited)
            limit_s = usual_s + (SLOW_S if hopeful else 0.0)
            return now_s > limit_s or (done_s is not None and now_s > done_s + AFTER_S)

        self._play.until(over)

    def _look(self, now_s: float, limit_s: float) -> None:
        """Read the logs now and then, cut what turns round, and say how far it is."""
        if now_s - self._read_s < _READ_S:
            return
        self._read_s = now_s
        self._read()
        for lane in self._lanes:
            if lane.cut_s is None and max(lane.lives, default=0) >= ENOUGH_RESTARTS:
                lane.cut_s = self._recorder.now_s
                self._play.namespace.scale("deployment", lane.variant.app, 0)
        ready = sum(self._ready(lane) for lane in self._lanes)
        self._show.progress.step(
            f"Sondes : {ready} variante(s) prête(s) sur {len(self._lanes)}",
            min(1.0, now_s / limit_s),
        )

    def _arrived(self, lane: _Lane) -> bool:
        """Whether a variant is where it was to come; one that comes nowhere waits for the end."""
        if lane.variant.forecast.certain:
            return lane.cut_s is not None
        return (
            lane.variant.comes
            and self._ready(lane)
            and any(one.ok for one in lane.traffic.requests)
        )

    def _ready(self, lane: _Lane) -> bool:
        return any(
            one.kind == "ready" and self._owner(one.pod) is lane
            for one in self._recorder.run().pods
        )

    def _read(self) -> None:
        """Note the logs of all lives of the containers, and when they started."""
        namespace = self._play.namespace
        for pod in namespace.list("pods"):
            lane = self._owner(pod["metadata"]["name"])
            statuses = pod.get("status", {}).get("containerStatuses")
            if lane is None or not statuses or lane.cut_s is not None:
                continue
            (status,) = statuses[:1]
            lane.pod = pod["metadata"]["name"]
            count = status["restartCount"]
            for number, previous in ((count, False), (count - 1, True)):
                if number >= 0:
                    self._read_life(lane, status, number, previous=previous)

    def _read_life(
        self, lane: _Lane, status: Mapping[str, Any], number: int, *, previous: bool
    ) -> None:
        state = status.get("lastState" if previous else "state") or {}
        for one in state.values():
            if number == 0 and one.get("startedAt"):
                lane.stamp_wall_s = _wall(one["startedAt"])
        try:
            text = self._play.namespace.logs(lane.pod, previous=previous)
        except ApiRefusedError:  # it waits for its start, or has just gone
            return
        lane.lives[number] = text

    def _owner(self, pod: str) -> _Lane | None:
        named = [lane for lane in self._lanes if pod.startswith(f"{lane.variant.app}-")]
        return max(named, key=lambda lane: len(lane.variant.app), default=None)

    def _require_started(self) -> None:
        """Refuse to conclude on a variant whose container never ran."""
        seen = {event.pod for event in self._recorder.run().pods if event.kind == "started"}
        owners = {id(self._owner(pod)) for pod in seen}
        for lane in self._lanes:
            if id(lane) not in owners:
                told = [one.message for one in self._recorder.run().events if one.warning]
                raise WaitTimeoutError(
                    f"Démarrer la variante « {lane.variant.name} »",
                    f"son conteneur n’a jamais démarré ({told[-1] if told else 'aucun événement'})",
                    "Regardez l’image et les ressources de son manifeste, puis relancez la mesure.",
                )

    # --- the runs

    def runs(self) -> list[Run]:
        """Return one run for each variant, all on the same clock."""
        whole = self._recorder.run()
        return [self._run(lane, whole) for lane in self._lanes]

    def _runs_so_far(self) -> list[Run]:
        """Return them in the middle of the measure."""
        runs = zip(self.runs(), self._lanes, strict=True)
        return [
            run
            if lane.cut_s is not None
            else replace(run, parameters={**run.parameters, GOING_ON: True})
            for run, lane in runs
        ]

    def _run(self, lane: _Lane, whole: Run) -> Run:
        end_s = whole.ended_s if lane.cut_s is None else lane.cut_s
        clock = self._recorder.clock
        requests = [one for one in lane.traffic.requests if one.planned_s <= end_s]
        own = replace(
            part_of(
                whole,
                lambda pod: self._owner(pod) is lane,
                lane.variant.service_name,
                requests,
                end_s,
            ),
            name=lane.variant.name,
            parameters={
                **self._play.parameters,
                **lane.variant.parameters(),
                "cut": lane.cut_s is not None,
            },
        )
        lives = [text for _, text in sorted(lane.lives.items())]
        told = list(self._results(lane, lives, own, clock))
        marks = [*whole.marks, *_marks(lane, lives, own, clock)]
        return replace(
            own,
            marks=tuple(sorted(marks, key=lambda one: one.at_s)),
            probes=tuple(sorted(told, key=lambda one: one.at_s)),
        )

    def _results(
        self, lane: _Lane, lives: Sequence[str], run: Run, clock: Clock
    ) -> Iterator[ProbeResult]:
        logged = [
            one
            for one in probe_log.answered(lives, lane.pod, lane.variant.probes, clock)
            if one.at_s <= run.ended_s
        ]
        yield from logged
        yield from probe_log.refused(run.events, logged)


def _marks(lane: _Lane, lives: Sequence[str], run: Run, clock: Clock) -> Iterator[Mark]:
    """Yield when the container started, when its port opened and when the program's own start was over."""
    seen_s = next((one.at_s for one in run.pods if one.kind == "started"), None)
    stamp_s = None if lane.stamp_wall_s is None else clock.from_wall(lane.stamp_wall_s)
    starting_s = probe_log.first(lives[:1], "starting", clock)
    listening_s = probe_log.first(lives, "listening", clock)
    over_s = probe_log.first(lives, "delay over", clock)
    both = None if listening_s is None or over_s is None else max(listening_s, over_s)
    for kind, at_s in (
        ("container", probe_log.container_start(stamp_s, seen_s, starting_s)),
        ("listening", listening_s),
        ("answering", both),
    ):
        if at_s is not None:
            yield Mark(at_s, kind, lane.pod)


def _wall(stamp: str) -> float:
    return datetime.fromisoformat(stamp).timestamp()
