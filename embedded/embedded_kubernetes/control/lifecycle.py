"""Brings an embedded cluster up, finds it again, takes it down."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from .. import paths, preflight
from ..config import ISOLATION_FILE, ClusterConfig
from ..errors import BusyError, ComponentError, UsageError
from ..lock import signed_by, try_lock
from ..progress import Progress
from . import control_socket, launch
from .watchdog import is_stopped

BUSY_TIMEOUT_S = 15.0
"""How long `up` waits for another `up` that has not started its supervisor yet."""

STOP_TIMEOUT_S = 20.0

_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?")
_MAX_NODES = 20
_POLL_S = 0.02
_DELETION_FILE = "deleting"
"""Is in the folder of a cluster that `down` is deleting: who asks meanwhile is not told to start it again."""

State = Literal["absent", "stopped", "starting", "running", "broken"]

_STATES: dict[str, State] = {
    "starting": "starting",
    "running": "running",
    "stopping": "stopped",
    "stopped": "stopped",
    "failed": "broken",
}
"""The supervisor's words."""


@dataclass(frozen=True)
class ClusterState:
    """What can be told of a cluster without changing it.

    Attributes
    ----------
    components : mapping
        The supervisor's word on each component: `pid`, `wanted`, `restarts`.
    detail : str
        One French sentence where something is wrong.
    """

    state: State
    config: ClusterConfig | None = None
    components: Mapping[str, Any] = field(default_factory=dict)
    detail: str = ""


def directory_of(name: str) -> Path:
    """Return where the cluster of that name is kept, without making the folder."""
    return paths.state_dir() / "clusters" / "embedded" / name


def runtime_of(name: str) -> Path:
    """Return the folder of a cluster's sockets; clusters of one name in two homes have two."""
    digest = hashlib.sha256(bytes(directory_of(name))).hexdigest()
    return paths.runtime_dir(f"{name}-{digest[:8]}")


def up(
    name: str,
    progress: Progress,
    *,
    nodes: int | None = None,
    choice: launch.NetworkChoice = launch.on_host,
) -> ClusterConfig:
    """Start the cluster, or find it running; return when a first pod could be created.

    Parameters
    ----------
    name : str
        Letters, digits and dashes.
    progress : Progress
        Told each step.
    nodes : int, optional
        How many nodes; by default as many as it had, or one.
    choice : callable
        Finds out which network the pods of a new cluster can have (see `node.isolation.network_chosen`).

    Raises
    ------
    PlatformError
        Not on Linux.
    UsageError
        A bad name, or another number of nodes than the cluster has.
    BinariesError
        Kubernetes' programs cannot be had.
    ResourceError
        No memory, disk, port or slot.
    BusyError
        Another `up` is at work for long.
    ComponentError
        A component does not live, or the cluster's folder is damaged.
    WaitTimeoutError
        No news for two minutes.
    """
    preflight.require_linux()
    _check_arguments(name, nodes)
    directory, runtime = directory_of(name), runtime_of(name)
    give_up_s = time.monotonic() + BUSY_TIMEOUT_S
    while (lock := try_lock(directory)) is None:
        if (joined := _join(directory, nodes, progress)) is not None:
            return joined
        if time.monotonic() > give_up_s:
            raise BusyError(
                f"Démarrer le cluster « {name} »",
                "une autre commande le prépare (compiler Kubernetes, par exemple, dure plusieurs minutes)",
                "Attendez qu’elle ait fini, puis recommencez.",
            )
        time.sleep(_POLL_S)
    new = not (directory / "cluster.json").exists()
    (directory / _DELETION_FILE).unlink(missing_ok=True)  # of a `down` that was cut short
    try:
        launch.start(name, directory, runtime, lock, nodes, progress, choice)
        return _wait_for_own(name, directory, progress)
    except ComponentError:
        raise  # its logs stay, for who wants to look
    except BaseException:
        _ask_to_stop(directory, runtime)
        if new:
            launch.delete(directory, runtime)
        raise
    finally:
        os.close(lock)


def down(name: str, progress: Progress) -> None:
    """Stop the cluster and delete its folder; nothing happens where there is none.

    Raises
    ------
    BusyError
        It does not stop, or a command is just preparing it.
    """
    _check_arguments(name, None)
    directory = directory_of(name)
    if not directory.is_dir():
        progress.done(f"Le cluster « {name} » n’existe pas : rien à supprimer.")
        return
    progress.step(f"Arrêt du cluster « {name} »")
    runtime = runtime_of(name)
    with contextlib.suppress(OSError):  # a full disk, or another `down` was quicker
        (directory / _DELETION_FILE).touch()
    give_up_s = time.monotonic() + STOP_TIMEOUT_S
    while (lock := try_lock(directory)) is None:
        if time.monotonic() > give_up_s:
            (directory / _DELETION_FILE).unlink(missing_ok=True)
            raise BusyError(
                f"Arrêter le cluster « {name} »",
                "une autre commande est en train de le préparer ou de l’arrêter",
                "Attendez qu’elle ait fini, puis recommencez.",
            )
        _ask_to_stop(directory, runtime)
        time.sleep(_POLL_S)
    try:
        launch.delete(directory, runtime)
    finally:
        os.close(lock)
    progress.done(f"Cluster « {name} » supprimé.")


def isolation(name: str) -> str:
    """Return how a cluster's nodes keep containers apart ("namespaces", "prefix"); "" before one has started."""
    files = sorted(directory_of(name).glob(f"nodes/*/{ISOLATION_FILE}"))
    try:
        return files[0].read_text(encoding="utf-8") if files else ""
    except OSError:  # the cluster is being deleted
        return ""


def status(name: str) -> ClusterState:
    """Tell the cluster's state within two seconds, without changing it; one that `down` is deleting is absent."""
    directory = directory_of(name)
    state = _state(directory)
    if state.state == "stopped" and (directory / _DELETION_FILE).exists():
        return ClusterState("absent")
    return state


def _state(directory: Path) -> ClusterState:
    try:
        config = ClusterConfig.load(directory)
    except FileNotFoundError:
        return ClusterState("absent")
    except (OSError, ValueError, KeyError, TypeError) as error:
        return ClusterState("broken", detail=f"cluster.json est illisible : {error}")
    lock = try_lock(directory)
    if lock is not None:
        os.close(lock)
        return _ended(config, launch.read_failure(directory))
    try:
        answer = control_socket.ask(config.runtime, {"do": "status"}, timeout_s=2.0)
    except OSError as error:
        pid = signed_by(directory)
        if pid is not None and is_stopped(pid):
            detail = (
                f"son superviseur est suspendu par un signal : « kill -CONT {pid} » le réveille"
            )
        else:
            detail = f"le superviseur ne répond pas encore : {error}"
        return ClusterState("starting", config, detail=detail)
    if answer["failure"] is not None:
        return _ended(config, answer["failure"])
    return ClusterState(_STATES[answer["state"]], config, answer["components"])


def _ended(config: ClusterConfig, failure: Mapping[str, str] | None) -> ClusterState:
    if failure is not None:
        detail = f"{failure['component']} : {failure['what']}"
        return ClusterState("broken", config, detail=detail)
    if signed_by(config.path) is not None:
        return ClusterState("stopped", config, detail="son superviseur a disparu sans prévenir")
    return ClusterState("stopped", config)


def _check_arguments(name: str, nodes: int | None) -> None:
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"Nommer le cluster « {name} »",
            "un nom a de 1 à 32 caractères parmi a-z, 0-9 et le tiret, qui n’est ni le premier ni le dernier",
            "Choisissez un nom comme « cours » ou « tp-2 ».",
        )
    if nodes is not None and not 0 <= nodes <= _MAX_NODES:
        raise UsageError(
            f"Démarrer un cluster de {nodes} nœuds",
            f"le cluster embarqué en simule de 0 à {_MAX_NODES}",
            "Donnez un autre nombre de nœuds.",
        )


def _join(directory: Path, nodes: int | None, progress: Progress) -> ClusterConfig | None:
    """Wait for a cluster that someone else has started; None where it has no supervisor (yet, or any more)."""
    try:
        launch.check_nodes(ClusterConfig.load(directory), nodes)
        return launch.wait(directory, progress)
    except (OSError, ValueError):
        return None


def _wait_for_own(name: str, directory: Path, progress: Progress) -> ClusterConfig:
    try:
        return launch.wait(directory, progress)
    except OSError:
        raise launch.supervisor_lost(name, directory) from None


def _ask_to_stop(directory: Path, runtime: Path) -> None:
    """Ask the supervisor to end; by a signal where it does not answer."""
    try:
        answer = control_socket.ask(runtime, {"do": "down"}, timeout_s=STOP_TIMEOUT_S)
        launch.wait_gone(answer["pid"])
    except OSError:
        launch.terminate(directory)
