"""The app "carnet", whose notes are state: asked from outside and from within its pods."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from embedded_kubernetes.processes import Completed

from .._errors import ExecError
from ..cluster import ServiceAddress
from ..kube.http import Answer, get, post
from ..kube.waiting import wait_until
from .lane import Lane

PROGRAM = ("python3", "-S", "/app/main.py")
"""The app's commands, for `kubectl exec`."""

_PATIENCE_S = 30.0


def ask(address: ServiceAddress, path: str, body: Mapping[str, Any] | None = None) -> Any:
    """Return the JSON of an answer; ask again where there is none, as a visitor would: pods come and go.

    Raises
    ------
    WaitTimeoutError
        No good answer for half a minute.
    """

    def send() -> Answer:
        return get(address, path) if body is None else post(address, path, body)

    return wait_until(send, _PATIENCE_S).require().json()


def execute(lane: Lane, pod: str, *argv: str) -> str:
    """Run a command in a pod and return what it wrote.

    Raises
    ------
    ExecError
        It failed: with what it complained of.
    """
    done = run(lane, pod, *argv)
    if done.returncode:
        raise ExecError(
            f"Exécuter « {' '.join(argv)} » dans le pod « {pod} »",
            (done.stderr or done.stdout).strip() or f"code {done.returncode}",
            f"Essayez « kubectl -n {lane.namespace.name} exec {pod} -- {' '.join(argv)} ».",
        )
    return done.stdout


def run(lane: Lane, pod: str, *argv: str) -> Completed:
    """Run a command in a pod, and return how it ended; charts go on meanwhile."""
    done: list[Completed] = []
    lane.in_background(lambda: done.append(lane.namespace.exec(pod, argv)))
    return done[0]
