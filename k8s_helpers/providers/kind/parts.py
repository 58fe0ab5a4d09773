"""Components of a kind node's control plane: stopped and started by the kubelet's manifest folder, etcd read.

Source: https://kubernetes.io/docs/tasks/configure-pod-container/static-pod/
"""

from __future__ import annotations

from embedded_kubernetes.control import etcd_gateway

from ..._errors import PlatformError, UsageError, WaitTimeoutError
from ...kube.waiting import wait_until
from .engine import Engine

RUNNING = "/etc/kubernetes/manifests"
"""The kubelet starts what is in there, and stops what leaves it."""
ASIDE = "/etc/kubernetes/stopped"

TIMEOUT_S = 60.0
_POLL_S = 0.25

_PKI = "/etc/kubernetes/pki"
_URL = f"https://127.0.0.1:2379{etcd_gateway.RANGE_PATH}"
_CURL = (
    "curl", "--silent", "--show-error", "--max-time", "10",
    "--cacert", f"{_PKI}/etcd/ca.crt",
    "--cert", f"{_PKI}/apiserver-etcd-client.crt",
    "--key", f"{_PKI}/apiserver-etcd-client.key",
    "--data", "@-", _URL,
)  # fmt: skip
"""With the API server's own certificate."""


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
    files = engine.exec(node, "ls", RUNNING).stdout.split()
    if f"{name}.yaml" not in files:
        if is_stopped(engine, node, name):
            return
        names = ", ".join(sorted(file.removesuffix(".yaml") for file in files))
        raise UsageError(
            f"Arrêter « {name} » sur le nœud « {node} »",
            "ce nœud n’a pas ce composant",
            f"Choisissez parmi : {names}.",
        )
    engine.exec(node, "mkdir", "-p", ASIDE)
    engine.exec(node, "mv", f"{RUNNING}/{name}.yaml", ASIDE)
    _wait(engine, node, name, running=False)


def start(engine: Engine, node: str, name: str) -> None:
    """Give a component's manifest back to the kubelet, and return once its container runs; see `stop`."""
    if is_stopped(engine, node, name):
        engine.exec(node, "mv", f"{ASIDE}/{name}.yaml", RUNNING)
    _wait(engine, node, name, running=True)


def is_stopped(engine: Engine, node: str, name: str) -> bool:
    """Return whether `stop` has taken a component's manifest away."""
    return engine.exec(node, "test", "-e", f"{ASIDE}/{name}.yaml", check=False).returncode == 0


def restore(engine: Engine, node: str) -> None:
    """Give back all that a killed process has left aside."""
    listed = engine.exec(node, "ls", ASIDE, check=False)
    for file in listed.stdout.split() if listed.returncode == 0 else ():
        engine.exec(node, "mv", f"{ASIDE}/{file}", RUNNING)


def _wait(engine: Engine, node: str, name: str, *, running: bool) -> None:
    wait_until(
        lambda: bool(_containers(engine, node, name)) is running,
        TIMEOUT_S,
        lambda _: WaitTimeoutError(
            f"{'Démarrer' if running else 'Arrêter'} « {name} » sur le nœud « {node} »",
            f"le kubelet ne l’a pas fait en {TIMEOUT_S:.0f} s",
            f"Regardez « {engine.command} exec {node} crictl ps -a », puis recommencez.",
        ),
        every_s=_POLL_S,
    )


def _containers(engine: Engine, node: str, name: str) -> list[str]:
    arguments = ("crictl", "ps", "--name", f"^{name}$", "--state", "running", "--quiet")
    return engine.exec(node, *arguments).stdout.split()


def read_etcd(engine: Engine, node: str, key: str) -> bytes | None:
    """Return the value under a key; None where there is none.

    Raises
    ------
    PlatformError
        The node has no curl, or etcd refuses.
    """
    done = engine.exec(node, *_CURL, stdin=etcd_gateway.request(key), check=False)
    try:
        return etcd_gateway.value(done.stdout)
    except ValueError as error:
        raise PlatformError(
            f"Lire « {key} » dans etcd, sur le nœud « {node} »",
            done.stderr.strip() or str(error),
            'Refaites-le sur le cluster embarqué : connect(provider="embedded").',
        ) from None
