"""The slow program goes from v1 to v2 under traffic, with and without a readiness probe, at the same instant."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime
from typing import Any

from .. import images, manifests
from .._errors import UsageError
from .._interruption import stoppable
from .._progress import Progress
from ..charts.slow_update import slow_update as draw
from ..cluster import Cluster
from ..forecasts.probe_spec import AT_ONCE
from ..forecasts.slow_update import SlowUpdate, forecast
from ..forecasts.span import Span
from ..images import SpringImage
from ..load import Traffic
from ..recorder import Recorder
from ..recording import Mark, Recording, Run
from .play import Play, Show, opened
from .probe_log import lines
from .stage import part_of
from .variants import FOLDER, STARTS, set_env

BEFORE_S = 3.0
AFTER_S = 3.0
FILES: Mapping[str, str] = {
    "no-probe": "maj-sans-readiness.yaml",
    "readiness": "maj-avec-readiness.yaml",
}
"""By name, in the order in which the course shows them."""
_SLOWER = 1.5
"""How much slower than the first version the second may start: other programs run by then."""
_PATIENCE_S = 10.0
"""Of clients: an old pod that answers late, as new ones take the processor for their start, still answers."""
_SLACK_S = 120.0
"""How long an update may take besides the starts of its pods, one after the other."""


@stoppable
def slow_update(
    variants: Sequence[str] = tuple(FILES),
    *,
    delay_s: float = 60.0,
    replicas: int = 2,
    rate_per_s: float = 12.0,
    cluster: Cluster | None = None,
    progress: Progress | None = None,
) -> Recording:
    """Update the slow program from v1 to v2, with and without a readiness probe, and record what clients got.

    Both Deployments are updated at the same instant, each under traffic of its own at the same rate. The first version
    is deployed without its delay: it has run for long. Runs hold what their manifest and the first version's own start
    (`first_start_s`) let foresee (`predicted_errors_s`, `predicted_duration_s`) beside what was measured.

    Parameters
    ----------
    variants : sequence of str
        Among "no-probe", "readiness"; runs come in this order.
    delay_s : float
        What the second version's start takes, 2 to 120 s.
    replicas : int
        Pods of each Deployment, 1 to 5.
    rate_per_s : float
        Requests per second on each, 1 to 100.
    cluster : Cluster, optional
        Otherwise the one that `connect` returned.
    progress : Progress, optional
        Told each step; otherwise what fits (notebook, terminal, log).

    Raises
    ------
    UsageError
        An unknown variant, or a number out of its bounds.
    WaitTimeoutError
        An update that does not come to its end: says what its pods complain of.
    """
    _check(variants, delay_s, replicas, rate_per_s)
    with opened("slow_update", "10_sondes", cluster, progress, versions=(), draw=draw) as show:
        show.progress.step("Préparation des images du programme lent")
        refs = {one: images.spring(show.cluster, one, show.progress) for one in ("v1", "v2")}
        image = refs["v2"]
        shared: dict[str, Any] = {
            "delay_s": delay_s,
            "replicas": replicas,
            "rate_per_s": rate_per_s,
            **image.parameters(),
        }
        with show.play("maj-lente", "Mise à jour lente", **shared) as play:
            lanes = [_Lane(name, refs, delay_s, replicas) for name in variants]
            both = _Both(show, play, lanes, rate_per_s)
            both.run(replicas * (delay_s + STARTS[image.real].hi_s) + _SLACK_S)
            show.runs[:] = both.runs()
        return show.recording()


class _Lane:
    """One Deployment, before and after its update, and what it lets foresee."""

    def __init__(
        self, name: str, refs: Mapping[str, SpringImage], delay_s: float, replicas: int
    ) -> None:
        self.name = name
        found = [one.object for one in manifests.read(FOLDER / FILES[name])]
        deployment, self.service = (copy.deepcopy(dict(one)) for one in found)
        deployment["spec"]["replicas"] = replicas
        self.app: str = deployment["metadata"]["name"]
        self.before = _at(deployment, "v1", refs["v1"].ref, 0.0)
        self.after = _at(deployment, "v2", refs["v2"].ref, delay_s)
        self.forecast = SlowUpdate(AT_ONCE, AT_ONCE, ())
        self.traffic: Traffic | None = None

    def foresee(self, start: Span) -> None:
        """Keep what must happen, the start of the second version being what it is."""
        self.forecast = forecast(self.after, start)

    def owns(self, pod: str) -> bool:
        """Whether a pod is of this Deployment."""
        return pod.startswith(f"{self.app}-")

    def parameters(self) -> dict[str, Any]:
        """Return what its run keeps of it."""
        return {
            "variant": self.name,
            "predicted_duration_s": self.forecast.duration.to_plain(),
            "predicted_errors_s": self.forecast.errors.to_plain(),
            "forecast": list(self.forecast.rows),
        }


def _at(deployment: Mapping[str, Any], version: str, ref: str, delay_s: float) -> dict[str, Any]:
    """Return a Deployment at a version of the program, whose start takes that long."""
    fitted: dict[str, Any] = copy.deepcopy(dict(deployment))
    template = fitted["spec"]["template"]
    template["metadata"]["labels"]["version"] = version
    (container,) = template["spec"]["containers"]
    container["image"] = ref
    set_env(container, "DELAY_SECONDS", f"{delay_s:g}")
    return fitted


class _Both:
    """All Deployments in one namespace, on one clock."""

    def __init__(self, show: Show, play: Play, lanes: Sequence[_Lane], rate_per_s: float) -> None:
        self._show = show
        self._play = play
        self._lanes = lanes
        self._rate_per_s = rate_per_s
        self._marks: dict[str, float] = {}

    def run(self, timeout_s: float) -> None:
        """Deploy v1, update, and wait until all is over and clients are answered again."""
        play = self._play
        play.step("déploiement de la version 1")
        for lane in self._lanes:
            play.namespace.apply([lane.before, lane.service])
        for lane in self._lanes:
            play.wait_rollout(lane.app)
        addresses = [play.ready_address(lane.app, timeout_s) for lane in self._lanes]
        start = self._start()
        for lane in self._lanes:
            lane.foresee(start)
        with ExitStack() as measuring:
            zero_s = None
            for lane, address in zip(self._lanes, addresses, strict=True):
                traffic = Traffic(
                    address,
                    rate_per_s=self._rate_per_s,
                    timeout_s=_PATIENCE_S,
                    zero_monotonic_s=zero_s,
                )
                lane.traffic = measuring.enter_context(traffic)
                zero_s = traffic.zero_monotonic_s
            self._recorder = measuring.enter_context(
                Recorder(self._show.cluster, play.namespace, "maj-lente", zero_monotonic_s=zero_s)
            )
            self._update(timeout_s)
            for lane in self._lanes:
                self._follow(lane)
                play.wait_answers(timeout_s)
            play.pause(AFTER_S)
            measuring.close()

    def _start(self) -> Span:
        """Return what the second version's start must take: its delay, and what the first one's took here."""
        parameters = self._play.parameters
        usual = STARTS[parameters["program"] == "java"]
        took_s = [0.0]
        for pod in self._play.namespace.list("pods"):
            running = pod["status"]["containerStatuses"][0]["state"]["running"]
            began_s = datetime.fromisoformat(running["startedAt"]).timestamp()
            log = self._play.namespace.logs(pod["metadata"]["name"])
            ends = [
                line["at"] for line in lines(log) if line["event"] in ("listening", "delay over")
            ]
            took_s += [at_s - began_s for at_s in ends]
        parameters["first_start_s"] = round(max(took_s), 3)
        delay_s = parameters["delay_s"]
        return Span(delay_s + usual.lo_s, delay_s + max(usual.hi_s, _SLOWER * max(took_s)))

    def _update(self, timeout_s: float) -> None:
        play = self._play
        self._follow(self._lanes[0])
        play.step("trafic sur la version 1")
        play.pause(BEFORE_S)
        play.step("kubectl apply de la version 2")
        play.mark("apply")
        for lane in self._lanes:
            play.namespace.apply([lane.after])

        def wait(lane: _Lane) -> None:
            play.namespace.wait_rollout(lane.app, timeout_s)
            self._marks[lane.name] = self._recorder.now_s

        with ThreadPoolExecutor(len(self._lanes)) as pool:
            play.in_background(lambda: list(pool.map(wait, self._lanes)))

    def _follow(self, lane: _Lane) -> None:
        """Draw during waits, which look at this Deployment's traffic."""
        self._play.record(self._recorder, lane.traffic, lambda: self._show.follow(self.runs))

    def runs(self) -> list[Run]:
        """Return one run for each Deployment, all on the same clock."""
        whole = self._recorder.run()
        return [self._run(lane, whole) for lane in self._lanes]

    def _run(self, lane: _Lane, whole: Run) -> Run:
        assert lane.traffic is not None
        # All of them from the same instant on: one traffic starts a second after the other.
        since_s = max(self._first_s(one) for one in self._lanes)
        requests = [one for one in lane.traffic.requests if one.planned_s >= since_s]
        own = part_of(whole, lane.owns, lane.app, requests, whole.ended_s)
        done_s = self._marks.get(lane.name)
        done = [Mark(done_s, kind) for kind in ("complete", "rolled-out")] if done_s else []
        return replace(
            own,
            name=lane.name,
            parameters={**self._play.parameters, **lane.parameters()},
            marks=(*whole.marks, *done),
        )

    @staticmethod
    def _first_s(lane: _Lane) -> float:
        requests = lane.traffic.requests if lane.traffic else ()
        return min((one.planned_s for one in requests), default=0.0)


def _check(variants: Sequence[str], delay_s: float, replicas: int, rate_per_s: float) -> None:
    unknown = [one for one in variants if one not in FILES]
    if isinstance(variants, str) or not variants or unknown or len(set(variants)) < len(variants):
        raise UsageError(
            "Mettre à jour le programme lent",
            f"les variantes demandées sont {variants!r}",
            f"Donnez une liste de variantes différentes, parmi : {', '.join(FILES)}.",
        )
    if not (2 <= delay_s <= 120 and 1 <= replicas <= 5 and 1 <= rate_per_s <= 100):
        raise UsageError(
            "Mettre à jour le programme lent",
            f"{delay_s} s de démarrage, {replicas} réplicas, {rate_per_s} requêtes par seconde",
            "Donnez 2 à 120 s de démarrage, 1 à 5 réplicas et 1 à 100 requêtes par seconde.",
        )
