"""Ingress rules by host and by path, and one that no controller serves."""

from __future__ import annotations

import time
from functools import partial
from typing import Any

from .._interruption import stoppable
from .._progress import Progress
from ..cluster import Cluster
from ..recording import Recording
from .http import Answer, get
from .play import Play, Show, opened
from .together import together

FOLDER = "04_services_et_ingress"
SERVICES = {"v1": "boutique", "v2": "blog"}
"""Which Service leads to which version of the app."""

_ROUTE_TIMEOUT_S = 30.0
"""How long a controller gets to learn of a rule and of the pods behind it."""
_NOBODY_S = 4.0
"""How long an address is waited for where nobody will give one."""


@stoppable
def ingress(*, cluster: Cluster | None = None, progress: Progress | None = None) -> Recording:
    """Route requests by host, by path, and by an Ingress whose class nobody serves, in namespaces of their own.

    Parameters
    ----------
    cluster : Cluster, optional
        Otherwise the one that `connect` returned. On kind an ingress controller is installed where there is none.
    progress : Progress, optional
        Told each step; otherwise what fits (notebook, terminal, log).

    Raises
    ------
    PlatformError
        The provider has no ingress controller.
    WaitTimeoutError
        The controller does not take a rule up.
    """
    with opened("ingress", FOLDER, cluster, progress, versions=("v1", "v2")) as show:
        url = show.cluster.provider.ingress_url(show.progress)
        acts = {
            name: partial(_run, show, name, title, make, url)
            for name, title, make in (
                ("hotes", "Par nom de machine", _by_host),
                ("chemins", "Par chemin", _by_path),
                ("sans-controleur", "Sans contrôleur", _without_controller),
            )
        }
        together(show, acts)
        return show.recording()


def _run(show: Show, name: str, title: str, make: Any, url: str) -> None:
    with show.play(name, title) as play:
        play.deploy("boutique.yaml", "blog.yaml")
        with play.recorded():
            play.apply(f"ingress-{name}.yaml")
            play.mark("apply", f"ingress-{name}.yaml")
            make(play, url)


def _by_host(play: Play, url: str) -> None:
    play.step("une règle par nom de machine")
    _wait_route(play, url, "boutique.example.com", "/")
    _wait_route(play, url, "blog.example.com", "/")
    play.mark("routed")
    _address(play, "hotes", _ROUTE_TIMEOUT_S)
    for host in ("boutique.example.com", "blog.example.com", "inconnu.example.com"):
        _ask(play, url, host, "/")


def _by_path(play: Play, url: str) -> None:
    play.step("un nom, deux chemins")
    host = "mon-app.example.com"
    _wait_route(play, url, host, "/")
    _wait_route(play, url, host, "/api/info")
    play.mark("routed")
    _address(play, "chemins", _ROUTE_TIMEOUT_S)
    for path in ("/", "/api/info", "/apiculture"):
        _ask(play, url, host, path)


def _without_controller(play: Play, url: str) -> None:
    play.step("une classe que personne ne sert")
    _address(play, "perdu", _NOBODY_S)
    _ask(play, url, "perdu.example.com", "/")


def _wait_route(play: Play, url: str, host: str, path: str) -> None:
    """Wait until a rule leads to one of the course's programs."""
    play.until(
        lambda: _get(url, host, path).version is not None,
        _ROUTE_TIMEOUT_S,
        f"le contrôleur d’Ingress mène {host}{path} à un pod",
    )


def _ask(play: Play, url: str, host: str, path: str) -> None:
    """Send one request with a host of its own, and note which Service's program answered it."""
    answer = _get(url, host, path)
    service = SERVICES.get(answer.version or "")
    detail = f"HTTP {answer.status}" if answer.status else answer.body
    if service is None:
        said = answer.body.strip().splitlines()[0] if answer.status and answer.body else ""
        detail = f"le contrôleur répond : {said}" if said else detail
        play.attempt(f"Host: {host}", f"GET {path}", False, str(answer.status), detail)
        return
    detail += f", pod {answer.pod} ({answer.version})"
    if answer.status >= 400:
        detail += " : c’est le programme qui ne connaît pas ce chemin"
    play.attempt(f"Host: {host}", f"GET {path}", True, service, detail)


def _get(url: str, host: str, path: str) -> Answer:
    return get(url, path, headers={"Host": host})


def _address(play: Play, name: str, timeout_s: float) -> None:
    """Note whether a controller says in the Ingress's status that it serves it."""
    end_s = time.monotonic() + timeout_s
    found: list[Any] = []

    def given() -> bool:
        status = play.namespace.get("ingress", name).get("status", {})
        found[:] = status.get("loadBalancer", {}).get("ingress", ())
        return bool(found)

    play.until(lambda: given() or time.monotonic() > end_s)
    words = ", ".join(one.get("ip") or one.get("hostname", "") for one in found)
    who = f"Ingress {name}"
    play.attempt(who, "adresse dans son état", bool(found), "une" if found else "aucune", words)
