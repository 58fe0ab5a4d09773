"""A service that calls another one, under traffic, while the called one fails now and then, then stops answering."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from ... import _checks
from ..._errors import WaitTimeoutError
from ..._interruption import stoppable
from ..._progress import Progress
from ...cluster import Cluster
from ...kube.http import ServiceAddress, post
from ...measure.measure import Measure
from ...measure.recording import Recording
from .codes import Caller, FaultMark, ReceivedCalls
from .lab import LAB
from .words import title

CALLED, CALLING = "catalogue", "site"
_CARE: Mapping[Caller, Mapping[str, str]] = {
    Caller.CARELESS: {"TIMEOUT_S": "60", "TRIES": "1", "BREAK_AFTER": "0"},
    Caller.RETRY: {"TIMEOUT_S": "0.5", "TRIES": "3", "BREAK_AFTER": "0"},
    Caller.BREAKER: {"TIMEOUT_S": "0.5", "TRIES": "3", "BREAK_AFTER": "5"},
}
"""What each caller's program has in its environment."""

_PHASES: tuple[tuple[FaultMark, str, float], ...] = (
    (FaultMark.FLAKY, "flaky", 3.0),
    (FaultMark.WELL, "well", 0.7),
    (FaultMark.STUCK, "stuck", 2.5),
    (FaultMark.MENDED, "well", 1.5),
)
"""What the called service does, as its own address calls it, and for how many seconds."""
BEFORE_S = 1.0


@stoppable
def measure(
    callers: Sequence[str] = tuple(Caller),
    *,
    rate_per_s: float = 20.0,
    cluster: Cluster | None = None,
    progress: Progress | None = None,
) -> Recording:
    """Let a service fail, and record what the clients of the one that calls it get.

    First one call in three fails; later the called service answers after 5 s. Clients give up after 2 s.
    The callers go on at the same time, each with a called service of its own.

    Parameters
    ----------
    callers : sequence of str
        Among "careless" (one call, however long it takes), "retry" (at most 0.5 s a call, three tries) and "breaker"
        (the same, and no more calls for a second after five failures in a row); runs come in this order.
    rate_per_s : float
        Requests per second, 1 to 50.
    cluster, progress : optional
        Otherwise those in use.

    Raises
    ------
    UsageError
        An unknown caller, or a rate out of its bounds.
    """
    tried = "Mesurer une panne d’un service appelé"
    _checks.names(tried, "appelants", callers, tuple(Caller))
    _checks.bounds(tried, (rate_per_s, 1, 50, "requêtes par seconde"))
    with LAB.open(cluster, progress) as measure:
        chosen = map(Caller, callers)
        measure.together(
            {caller: partial(_measure, measure, caller, rate_per_s) for caller in chosen}
        )
        return measure.recording()


def _measure(measure: Measure, caller: Caller, rate_per_s: float) -> None:
    def care(plain: dict[str, Any]) -> None:
        if plain["kind"] == "Deployment" and plain["metadata"]["name"] == CALLING:
            container = plain["spec"]["template"]["spec"]["containers"][0]
            container["env"] = [{"name": name, "value": value} for name, value in wished.items()]

    wished = _CARE[caller]
    with measure.lane(caller, title(caller), dict(wished)) as lane:
        lane.deploy("panne.yaml", change=care)
        called = lane.namespace.service_url(CALLED)
        with lane.recorded(CALLING, rate_per_s):
            lane.pause(BEFORE_S)
            for mark, mode, lasts_s in _PHASES:
                lane.note(mark, ReceivedCalls(_switch(called, mode)))
                lane.pause(lasts_s)


def _switch(address: ServiceAddress, mode: str) -> int:
    """Tell the called service how to behave; return how many calls it had received.

    Raises
    ------
    WaitTimeoutError
        It does not answer.
    """
    answer = post(address, f"/{mode}")
    if not answer:
        raise WaitTimeoutError(
            f"Régler le catalogue ({address.url})",
            f"HTTP {answer.status}" if answer.status else answer.body,
            "Regardez « kubectl get pods » et les journaux du programme, puis relancez la mesure.",
        )
    return int(answer.body)
