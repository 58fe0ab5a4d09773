"""Components of a kind node's control plane, stopped and started: the kubelet runs what its manifest folder holds.

Source: https://kubernetes.io/docs/tasks/configure-pod-container/static-pod/
"""

from __future__ import annotations

import time

from .._errors import UsageError, WaitTimeoutError
from .engine import Engine

RUNNING = "/etc/kubernetes/manifests"
"""The kubelet starts what is in there, and stops what leaves it."""
ASIDE = "/etc/kubernetes/stopped"

TIMEOUT_S = 60.0
_POLL_S = 0.25


def stop(engine: Engine, node: str, name: str) -> None:
    """Take a component's manifest away from the kubelet, and return once its container has ended.

    Parameters
    ----------
    node : str
        The node's container.
    name : str
        "kube-scheduler", "kube-controller-manager" …

    Raises
    ------
    UsageError
        The node has no such component.
    WaitTimeoutError
        It goes on.
    """
    found = engine.run("exec", node, "ls", RUNNING).stdout.split()
    if f"{name}.yaml" not in found:
        if is_stopped(engine, node, name):
            return
        names = ", ".join(sorted(one.removesuffix(".yaml") for one in found))
        raise UsageError(
            f"Arrêter « {name} » sur le nœud « {node} »",
            "ce nœud n’a pas ce composant",
            f"Choisissez parmi : {names}.",
        )
    engine.run("exec", node, "mkdir", "-p", ASIDE)
    engine.run("exec", node, "mv", f"{RUNNING}/{name}.yaml", ASIDE)
    _wait(engine, node, name, running=False)


def start(engine: Engine, node: str, name: str) -> None:
    """Give a component's manifest back to the kubelet, and return once its container runs; see `stop`."""
    if is_stopped(engine, node, name):
        engine.run("exec", node, "mv", f"{ASIDE}/{name}.yaml", RUNNING)
    _wait(engine, node, name, running=True)


def is_stopped(engine: Engine, node: str, name: str) -> bool:
    """Return whether `stop` has taken a component's manifest away."""
    return (
        engine.run("exec", node, "test", "-e", f"{ASIDE}/{name}.yaml", check=False).returncode == 0
    )


def restore(engine: Engine, node: str) -> None:
    """Give back all that a killed process has left aside."""
    listed = engine.run("exec", node, "ls", ASIDE, check=False)
    for file in listed.stdout.split() if listed.returncode == 0 else ():
        engine.run("exec", node, "mv", f"{ASIDE}/{file}", RUNNING)


def _wait(engine: Engine, node: str, name: str, *, running: bool) -> None:
    end_s = time.monotonic() + TIMEOUT_S
    while bool(_containers(engine, node, name)) is not running:
        if time.monotonic() > end_s:
            raise WaitTimeoutError(
                f"{'Démarrer' if running else 'Arrêter'} « {name} » sur le nœud « {node} »",
                f"le kubelet ne l’a pas fait en {TIMEOUT_S:.0f} s",
                f"Regardez « {engine.command} exec {node} crictl ps -a », puis recommencez.",
            )
        time.sleep(_POLL_S)


def _containers(engine: Engine, node: str, name: str) -> list[str]:
    arguments = ("crictl", "ps", "--name", f"^{name}$", "--state", "running", "--quiet")
    return engine.run("exec", node, *arguments).stdout.split()
