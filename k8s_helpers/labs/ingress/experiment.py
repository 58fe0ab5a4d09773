"""Ingress rules by host and by path, and one that no controller serves."""

from __future__ import annotations

import time
from functools import partial
from typing import Any

from ..._interruption import stoppable
from ..._progress import Progress
from ...cluster import Cluster
from ...kube.http import Answer, get
from ...measure.lane import Lane
from ...measure.measure import Measure
from ...measure.recording import Recording
from .codes import Outcome, What, Who
from .lab import LAB
from .words import CONTROLLER

SERVICES = {"v1": Outcome.BOUTIQUE, "v2": Outcome.BLOG}
"""Which Service leads to which version of the app."""

_ROUTE_TIMEOUT_S = 30.0
"""How long a controller gets to learn of a rule and of the pods behind it."""
_NOBODY_S = 4.0
"""How long an address is waited for where nobody will give one."""


@stoppable
def measure(*, cluster: Cluster | None = None, progress: Progress | None = None) -> Recording:
    """Route requests by host, by path, and by an Ingress whose class nobody serves, in namespaces of their own.

    Parameters
    ----------
    cluster : Cluster, optional
        Otherwise the one that `connect` returned. On kind an ingress controller is installed where there is none.
    progress
        Otherwise what fits here (notebook, terminal, log).

    Raises
    ------
    PlatformError
        The provider has no ingress controller.
    WaitTimeoutError
        The controller does not take a rule up.
    """
    with LAB.open(cluster, progress, versions=("v1", "v2"), live=False) as measure:
        url = measure.cluster.provider.ingress_url(measure.progress)
        acts = {
            name: partial(_run, measure, name, title, make, url)
            for name, title, make in (
                ("hotes", "Par nom de machine", _by_host),
                ("chemins", "Par chemin", _by_path),
                ("sans-controleur", "Sans contrôleur", _without_controller),
            )
        }
        measure.together(acts)
        return measure.recording()


def _run(measure: Measure, name: str, title: str, make: Any, url: str) -> None:
    with measure.lane(name, title) as lane:
        lane.deploy("boutique.yaml", "blog.yaml")
        with lane.recorded():
            lane.apply(f"ingress-{name}.yaml")
            lane.mark("apply", f"ingress-{name}.yaml")
            make(lane, url)


def _by_host(lane: Lane, url: str) -> None:
    lane.step("une règle par nom de machine")
    _route(lane, url, (Who.BOUTIQUE, What.ROOT), (Who.BLOG, What.ROOT))
    _address(lane, Who.HOSTS, _ROUTE_TIMEOUT_S)
    for host in (Who.BOUTIQUE, Who.BLOG, Who.UNKNOWN):
        _ask(lane, url, host, What.ROOT)


def _by_path(lane: Lane, url: str) -> None:
    lane.step("un nom, deux chemins")
    _route(lane, url, (Who.APP, What.ROOT), (Who.APP, What.API))
    _address(lane, Who.PATHS, _ROUTE_TIMEOUT_S)
    for request in (What.ROOT, What.API, What.APICULTURE):
        _ask(lane, url, Who.APP, request)


def _without_controller(lane: Lane, url: str) -> None:
    lane.step("une classe que personne ne sert")
    _address(lane, Who.LOST, _NOBODY_S)
    _ask(lane, url, Who.UNSERVED, What.ROOT)


def _route(lane: Lane, url: str, *requests: tuple[Who, What]) -> None:
    """Wait until each rule leads to one of the course's programs."""
    for host, request in requests:
        lane.until(
            partial(_answered, url, host, request),
            _ROUTE_TIMEOUT_S,
            f"le contrôleur d’Ingress mène {host}{_path(request)} à un pod",
        )
    lane.mark("routed")


def _answered(url: str, host: Who, request: What) -> bool:
    return _get(url, host, request).version is not None


def _ask(lane: Lane, url: str, host: Who, request: What) -> None:
    """Send one request with a host of its own, and note which Service's program answered it."""
    answer = _get(url, host, request)
    service = SERVICES.get(answer.version or "")
    detail = f"HTTP {answer.status}" if answer.status else answer.body
    if service is not None:
        lane.attempt(host, request, True, service, f"{detail}, pod {answer.pod} ({answer.version})")
        return
    if answer.status and (body := answer.body.strip()):
        detail = CONTROLLER + body.splitlines()[0]
    lane.attempt(host, request, False, str(answer.status), detail)


def _get(url: str, host: Who, request: What) -> Answer:
    return get(url, _path(request), headers={"Host": host})


def _path(request: What) -> str:
    return request.removeprefix("GET ")


def _address(lane: Lane, who: Who, timeout_s: float) -> None:
    """Note whether a controller says in the Ingress's status that it serves it."""
    end_s = time.monotonic() + timeout_s
    given: list[Any] = []
    name = who.removeprefix("ingress/")

    def over() -> bool:
        status = lane.namespace.get("ingress", name).get("status", {})
        given[:] = status.get("loadBalancer", {}).get("ingress", ())
        return bool(given) or time.monotonic() > end_s

    lane.until(over)
    addresses = ", ".join(address.get("ip") or address.get("hostname", "") for address in given)
    answer = Outcome.ADDRESS if given else Outcome.NO_ADDRESS
    lane.attempt(who, What.ADDRESS, bool(given), answer, addresses)
