"""The same work under several processor limits: nobody dies of it, everybody waits (slide 4.02)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from .._errors import UsageError
from .._interruption import stoppable
from .._progress import Progress
from ..cluster import Cluster
from ..embedded.node.quantities import parse
from ..load import Traffic
from ..recorder import Recorder
from ..recording import Recording, Run
from .play import APP, Play, Show, opened

FOLDER = "08_ressources"
NO_LIMIT = "sans"
LIMITS = (NO_LIMIT, "500m", "100m")
_TIMEOUT_S = 15.0


@stoppable
def throttling(
    limits: Sequence[str] = LIMITS,
    *,
    cluster: Cluster | None = None,
    cpu_ms: float = 60.0,
    rate_per_s: float = 1.0,
    duration_s: float = 15.0,
    progress: Progress | None = None,
) -> Recording:
    """Ask the same work of pods with different processor limits, one after the other, and record each answer's time.

    Parameters
    ----------
    limits : sequence of str
        "sans" for no limit, or a quantity of processors ("500m").
    cluster : Cluster, optional
        Otherwise the one that `connect` returned.
    cpu_ms : float
        Processor time of each request in milliseconds; 1 to 1,000.
    rate_per_s : float
        Requests per second; 0.2 to 10. Their work must fit into each limit.
    duration_s : float
        Traffic on each pod, in seconds; 2 to 120.
    progress : Progress, optional
        Told each step; otherwise what fits (notebook, terminal, log).

    Raises
    ------
    UsageError
        Limits that are none, or too low for this work; numbers out of their bounds.
    """
    cores = _check(limits, cpu_ms, rate_per_s, duration_s)
    parameters = {"cpu_ms": cpu_ms, "rate_per_s": rate_per_s, "duration_s": duration_s}
    with opened("throttling", FOLDER, cluster, progress) as show:
        for index, limit in enumerate(limits):
            told = {**parameters, "limit": limit, "limit_cores": cores[limit]}
            title = f"Limite de processeur : {limit}"
            with show.play(f"cpu-{limit}", title, index / len(limits), **told) as play:
                show.runs.append(_measure(show, play, limit))
        return show.recording()


def _measure(show: Show, play: Play, limit: str) -> Run:
    def limited(plain: dict[str, Any]) -> None:
        if plain["kind"] == "Deployment":
            (container,) = plain["spec"]["template"]["spec"]["containers"]
            container["resources"] = {} if limit == NO_LIMIT else {"limits": {"cpu": limit}}

    play.deploy("cpu-limite.yaml", change=limited)
    address = play.namespace.service_url(APP)
    found = play.parameters
    work = replace(address, url=f"{address.url.rstrip('/')}/cpu?ms={found['cpu_ms']:g}")
    play.pause(2.0)  # what starting and the rollout's probes have used is earned again
    play.step("trafic")
    with (
        Traffic(
            work,
            rate_per_s=found["rate_per_s"],
            timeout_s=_TIMEOUT_S,
            max_duration_s=found["duration_s"],
        ) as traffic,
        Recorder(
            show.cluster,
            play.namespace,
            limit,
            parameters=found,
            zero_monotonic_s=traffic.zero_monotonic_s,
        ) as recorder,
    ):
        play.record(recorder, traffic)
        play.pause(found["duration_s"])
        play.in_background(traffic.stop)
    return recorder.run(traffic.requests)


def _check(
    limits: Sequence[str], cpu_ms: float, rate_per_s: float, duration_s: float
) -> dict[str, float | None]:
    tried = "Mesurer le bridage du processeur"
    if not (1 <= cpu_ms <= 1000 and 0.2 <= rate_per_s <= 10 and 2 <= duration_s <= 120):
        raise UsageError(
            tried,
            f"{cpu_ms} ms de processeur, {rate_per_s} requêtes par seconde, {duration_s} s",
            "Donnez 1 à 1000 ms, 0,2 à 10 requêtes par seconde et 2 à 120 s.",
        )
    try:
        if isinstance(limits, str) or not limits or len(set(limits)) < len(limits):
            raise ValueError
        cores = {one: None if one == NO_LIMIT else float(parse(one)) for one in limits}
    except ValueError:
        raise UsageError(
            tried,
            f"les limites demandées sont {limits!r}",
            f"Donnez une liste de limites différentes, comme {', '.join(LIMITS)}.",
        ) from None
    needed = cpu_ms / 1000 * rate_per_s
    low = [one for one, value in cores.items() if value is not None and value <= needed]
    if low:
        raise UsageError(
            tried,
            f"ce travail demande {needed:.2g} processeur, plus que {', '.join(low)}",
            "Demandez moins de travail, ou donnez une limite plus haute : sinon la file ne fait que s’allonger.",
        )
    return cores
