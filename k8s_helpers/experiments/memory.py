"""The Java leak of slide 4.01 in two pods of the same limit, until each has died several times."""

from __future__ import annotations

import copy
import secrets
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Any

from .. import _paths, images, manifests
from .._errors import UsageError
from .._french import count
from .._interruption import stoppable
from .._progress import Progress, reporting
from ..charts.live import Live
from ..charts.memory import memory as draw
from ..cluster import Cluster, current_cluster
from ..forecasts import memory as forecast
from ..forecasts import restarts as back_off
from ..recorder import Recorder
from ..recording import Recording, Run
from .leak import PERIOD_S, LeakReader
from .stage import Stage

MANIFESTS = _paths.COURSE / "notebooks" / "manifests" / "08_ressources"
VARIANTS: Mapping[str, str] = {
    "default-heap": "fuite.yaml",
    "large-heap": "fuite-grand-tas.yaml",
}
"""Manifest of each variant, in the order in which the course shows them."""

AFTER_S = 2.0
"""Watched after the last death, so that the next back-off is seen."""
_SLACK_S = 60.0
"""What a slow machine may add to the longest course that is predicted."""


@stoppable
def memory(
    variants: Sequence[str] = tuple(VARIANTS),
    *,
    cluster: Cluster | None = None,
    restarts: int = 4,
    leak_mb_per_s: float = 60.0,
    limit_mib: int = 512,
    progress: Progress | None = None,
) -> Recording:
    """Let a Java program leak in pods with a memory limit, all at once, and record how each dies and comes back.

    The manifests are those of `notebooks/manifests/08_ressources`, with this limit and this rate. Four restarts show
    the back-offs 0, 10, 20 and 40 s and take about two minutes.

    Parameters
    ----------
    variants : sequence of str
        Among "default-heap" (a quarter of the limit: the JVM gives up) and "large-heap" (twice the limit: the kernel
        kills).
    cluster : Cluster, optional
        Otherwise the one that `connect` returned.
    restarts : int
        How often each is restarted before the measure ends, 0 to 6.
    leak_mb_per_s : float
        What the program keeps each second, in mebibytes; 1 to 200 (10 on the slide).
    limit_mib : int
        The container's limit in mebibytes, 64 to 2048; the large heap is twice as large.
    progress : Progress, optional
        Told each step; otherwise what fits (notebook, terminal, log).

    Raises
    ------
    UsageError
        An unknown variant, or a number out of its bounds.
    WaitTimeoutError
        A pod that does not die as often as it should in time.
    ClusterUnreachableError
        The cluster stopped, or its API server stays away.
    """
    _check(variants, restarts, leak_mb_per_s, limit_mib)
    cluster = cluster or current_cluster()
    with reporting(progress) as told, Live() as live, cluster.api.patient():
        told.step("Préparation de l’image du programme qui fuit")
        image = images.ensure(cluster, "fuite", "v1", told)
        with ExitStack() as held:
            leaks = [
                _Leak(cluster, name, _fitted(name, image, leak_mb_per_s, limit_mib), restarts, held)
                for name in variants
            ]
            _follow(cluster, leaks, told, live)
            told.step("rangement", 1.0)
        return _recording(cluster, [leak.recorder.run() for leak in leaks])


class _Leak:
    """One variant: its namespace, its pod's manifest, its recorder."""

    def __init__(
        self, cluster: Cluster, name: str, pod: Mapping[str, Any], restarts: int, held: ExitStack
    ) -> None:
        self.name = name
        self.wanted = restarts + 1
        self.pod = pod
        self.namespace = held.enter_context(
            cluster.namespace(f"fuite-{name}-{secrets.token_hex(2)}")
        )
        self.parameters = {"variant": name, "restarts": restarts, **_facts(pod)}
        self.reader = LeakReader(cluster, self.namespace)
        self.recorder = held.enter_context(
            Recorder(
                cluster,
                self.namespace,
                name,
                parameters=self.parameters,
                sample=self.reader,
                sample_period_s=PERIOD_S,
            )
        )
        self.reader.attach(self.recorder)
        self._ends_s: float | None = None

    def apply(self) -> None:
        """Start the leak."""
        self.recorder.mark("apply")
        self.namespace.apply(self.pod)

    def over(self) -> bool:
        """Whether it has died often enough; then nothing of it is recorded any more."""
        self.recorder.check()
        if self._ends_s is None and self.reader.deaths >= self.wanted:
            self._ends_s = self.recorder.now_s + AFTER_S
        if self._ends_s is None or self.recorder.now_s < self._ends_s:
            return False
        for what, words in self.reader.refusals.items():
            self.recorder.mark("refused", f"{what} : {words}")
        self.reader.refusals.clear()
        self.recorder.stop()
        return True

    def longest_s(self) -> float:
        """Return when it has died often enough at the latest, by the forecast."""
        found = self.parameters
        end = forecast.death(
            found["limit_bytes"],
            forecast.heap_bytes(found["limit_bytes"], found["java_options"]),
            found["leak_bytes_per_s"],
        )
        first = back_off.wait(0.0)
        last = back_off.starts(first, end.after, self.wanted - 1)[-1]
        return last.then(end.after).hi_s + AFTER_S


def _follow(cluster: Cluster, leaks: Sequence[_Leak], told: Progress, live: Live) -> None:
    """Start all at once and wait until each has died often enough."""
    stage = Stage(leaks[0].namespace, told.step)
    stage.record(
        leaks[0].recorder,
        draw=lambda: live.show(
            lambda: draw(_recording(cluster, [leak.recorder.run() for leak in leaks]))
        ),
    )
    for leak in leaks:
        leak.apply()
    going = set(leaks)
    told_deaths = -1

    def over() -> bool:
        nonlocal told_deaths
        deaths = sum(leak.reader.deaths for leak in leaks)
        if deaths != told_deaths:
            told_deaths = deaths
            share = deaths / sum(leak.wanted for leak in leaks)
            told.step(f"La mémoire fuit : {count(deaths, 'mort')} pour l’instant", min(share, 0.99))
        going.difference_update([leak for leak in going if leak.over()])
        return not going

    longest_s = max(leak.longest_s() for leak in leaks)
    stage.until(
        over, longest_s + _SLACK_S, "que chaque programme soit mort autant de fois que prévu"
    )


def _recording(cluster: Cluster, runs: Sequence[Run]) -> Recording:
    return Recording("memory", cluster.provider.kind, cluster.kubernetes_version, tuple(runs))


def _fitted(variant: str, image: str, leak_mb_per_s: float, limit_mib: int) -> dict[str, Any]:
    """Return a variant's pod with its image, rate and limit; the rest as the course writes it."""
    (found,) = manifests.read(MANIFESTS / VARIANTS[variant])
    pod: dict[str, Any] = copy.deepcopy(dict(found.object))
    (container,) = pod["spec"]["containers"]
    container["image"] = image
    container["resources"] = {
        "requests": {"memory": f"{limit_mib // 2}Mi"},
        "limits": {"memory": f"{limit_mib}Mi"},
    }
    told = {"LEAK_MB_PER_S": f"{leak_mb_per_s:g}", "JAVA_TOOL_OPTIONS": f"-Xmx{2 * limit_mib}m"}
    for variable in container["env"]:
        if variable["name"] in told:
            variable["value"] = told[variable["name"]]
    return pod


def _facts(pod: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a fitted pod asks for, as the recording keeps it."""
    (container,) = pod["spec"]["containers"]
    env = {one["name"]: one.get("value", "") for one in container["env"]}
    return {
        "limit_bytes": int(container["resources"]["limits"]["memory"].removesuffix("Mi")) << 20,
        "leak_bytes_per_s": float(env["LEAK_MB_PER_S"]) * (1 << 20),
        "java_options": env.get("JAVA_TOOL_OPTIONS", ""),
        "stand_in": images.stands_in("fuite"),
    }


def _check(variants: Sequence[str], restarts: int, leak_mb_per_s: float, limit_mib: int) -> None:
    tried = "Mesurer la fuite de mémoire"
    unknown = isinstance(variants, str) or not variants or set(variants) - set(VARIANTS)
    if unknown or len(set(variants)) < len(variants):
        raise UsageError(
            tried,
            f"les variantes demandées sont {variants!r}",
            f"Donnez une liste de variantes différentes, parmi : {', '.join(VARIANTS)}.",
        )
    if not (0 <= restarts <= 6 and 1 <= leak_mb_per_s <= 200 and 64 <= limit_mib <= 2048):
        raise UsageError(
            tried,
            f"{restarts} redémarrages, {leak_mb_per_s} Mio/s, une limite de {limit_mib} Mio",
            "Donnez 0 à 6 redémarrages, 1 à 200 Mio/s et une limite de 64 à 2048 Mio.",
        )
