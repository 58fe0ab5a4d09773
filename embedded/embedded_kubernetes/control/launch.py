"""The first start of a cluster's life: everything between holding its lock and a supervisor at work."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import files, paths, pki, preflight
from ..config import REMOVER_FILE, ClusterConfig, Network
from ..errors import BusyError, ComponentError, ResourceError, UsageError, WaitTimeoutError
from ..files import write_whole
from ..lock import signed_by, unsign
from ..processes import CommandError, run, spawn
from ..progress import Progress
from . import control_plane, control_socket, incidents, slots

if TYPE_CHECKING:
    from ..programs.binaries import Binaries
    from .first_data.kept import FirstData

START_TIMEOUT_S = 120.0
"""Longest time without any news of a cluster that starts."""

_LAST_MOMENTS_S = 5.0
_REMOVER_S = 600.0
_SOCKET_PATH_BYTES = 107  # man 7 unix


NetworkChoice = Callable[[], AbstractContextManager[Callable[[], Network]]]
"""A context that finds out in the background which network pods can have; its result waits for the answer."""


@contextlib.contextmanager
def on_host() -> Iterator[Callable[[], Network]]:
    """Choose the host's network (see `NetworkChoice`)."""
    yield lambda: "host"


def start(
    name: str,
    directory: Path,
    runtime: Path,
    lock: int,
    nodes: int | None,
    progress: Progress,
    choice: NetworkChoice,
) -> None:
    """Prepare the cluster's folder and hand it to a new supervisor.

    Parameters
    ----------
    name : str
        The cluster's name.
    directory, runtime : Path
        Its folder, and that of its sockets.
    lock : int
        The folder's lock, held; the supervisor inherits it.
    nodes : int or None
        How many nodes; None for as many as it had, or one.
    progress : Progress
        Told each step.
    choice : callable
        Chooses the network of a new cluster's pods; one that has been started before keeps its own.
    """
    with preflight.disk_errors(f"Préparer le cluster « {name} »"):
        preflight.require_disk(directory)
        preflight.require_memory(preflight.available_memory_bytes())
        previous = _previous(name, directory)
        if previous is not None:
            check_nodes(previous, nodes)
        from ..programs import binaries

        with choice() if previous is None else contextlib.nullcontext() as chosen:
            programs = binaries.ensure(progress)
            first = _first_data(programs, directory, progress)
            progress.step(f"Préparation du cluster « {name} »")
            slot, holder = slots.hold_slot(_slots_to_try(directory, previous))
            with holder:
                if chosen is not None:
                    pki.load_library()  # the choice is being made meanwhile
                config = _configure(
                    name, directory, runtime, slot, nodes, previous, programs, chosen
                )
                _make_keys(config)
                config.save()
                egress = control_plane.egress_selector(config)
                write_whole(directory / control_plane.EGRESS_FILE, egress)
                _plant(first, directory)
                _say_goodbye_to_the_dead(directory, lock)
                _spawn_supervisor(config, lock, holder.fileno())


def wait(directory: Path, progress: Progress) -> ClusterConfig:
    """Wait for a supervisor's cluster to be ready.

    Raises
    ------
    OSError
        It has no supervisor.
    ComponentError
        A component does not live.
    WaitTimeoutError
        No news for long.
    BusyError
        It was stopped meanwhile.
    """
    config = ClusterConfig.load(directory)
    tried = f"Démarrer le cluster « {config.name} »"
    answer: dict[str, Any] = {}
    try:
        for answer in control_socket.converse(
            config.runtime, {"do": "wait"}, timeout_s=START_TIMEOUT_S
        ):
            if "step" in answer:
                progress.step(answer["step"])
    except TimeoutError:
        found = f"toujours pas prêt après {START_TIMEOUT_S:.0f} s"
        advice = (
            f"Lisez les journaux dans {directory / 'logs'} ; la machine est peut-être trop chargée."
        )
        raise WaitTimeoutError(tried, found, advice) from None
    match answer.get("state"):
        case "running":
            return config
        case "failed":
            wait_gone(answer["pid"])
            raise component_error(config.name, answer["failure"])
        case "stopped":
            wait_gone(answer["pid"])
            raise BusyError(tried, "une autre commande vient de l’arrêter", "Recommencez.")
        case _:
            raise ConnectionResetError("the supervisor ended")


def supervisor_lost(name: str, directory: Path) -> ComponentError:
    """Return the error that says that the supervisor itself ended while the cluster started."""
    log = directory / "logs" / "supervisor.log"
    tail = "\n".join(log.read_text(errors="replace").splitlines()[-6:]) if log.exists() else ""
    return ComponentError(
        f"Démarrer le cluster « {name} »",
        f"son superviseur a disparu {tail}".rstrip(),
        f"Recommencez ; si cela se répète, lancez « {paths.command()} doctor ».",
    )


def component_error(name: str, failure: dict[str, str]) -> ComponentError:
    """Return the error that says which component does not live, with the end of its log."""
    return ComponentError(
        f"Faire vivre le cluster « {name} »",
        f"{failure['component']} : {failure['what']}\n{failure['tail']}",
        f"Lisez {failure['log']} ; pour repartir d’un cluster neuf (ses objets seront perdus) : "
        f"« {paths.command()} down --name {name} », puis « {paths.command()} up --name {name} ».",
    )


def check_nodes(config: ClusterConfig, nodes: int | None) -> None:
    """Raise `UsageError` where another number of nodes is asked for than the cluster has."""
    has = len(config.kubelet_ports)
    if nodes is not None and nodes != has:
        raise UsageError(
            f"Démarrer le cluster « {config.name} » avec un nombre de nœuds égal à {nodes}",
            f"il existe déjà, avec {has}",
            f"Supprimez-le d’abord (« {paths.command()} down --name {config.name} »), ou donnez un autre nom.",
        )


def read_failure(directory: Path) -> dict[str, str] | None:
    """Return what made the cluster stop whole; None where nothing did."""
    try:
        failure: dict[str, str] = json.loads((directory / incidents.FAILURE_FILE).read_text())
    except (OSError, ValueError):
        return None
    return failure


def terminate(directory: Path) -> None:
    """Send SIGTERM to the supervisor that has signed the lock, if there is one.

    To be called while the lock is held by it: otherwise the process id could be another's by now.
    """
    pid = signed_by(directory)
    if pid is not None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGTERM)


def delete(directory: Path, runtime: Path) -> None:
    """Delete a stopped cluster's files."""
    delete_foreign(directory, directory)
    for folder in (runtime, directory):
        files.delete(folder)
    with contextlib.suppress(OSError):
        runtime.parent.rmdir()  # where no other cluster has its sockets in it


def delete_foreign(directory: Path, folder: Path) -> None:
    """Delete a folder of a cluster where its containers' files may belong to other ids than the user's."""
    try:
        remover = json.loads((directory / REMOVER_FILE).read_text(encoding="utf-8"))
        run([*remover, json.dumps(["remove", str(folder)])], timeout_s=_REMOVER_S)
    except (OSError, ValueError, CommandError):
        return  # there are none, or the user's own way says what is wrong


def _previous(name: str, directory: Path) -> ClusterConfig | None:
    """Return the configuration of the cluster's last start; None for a new cluster."""
    try:
        return ClusterConfig.load(directory)
    except FileNotFoundError:
        damage = "cluster.json a disparu" if (directory / "etcd").exists() else None
    except (OSError, ValueError, KeyError, TypeError) as error:
        damage = f"cluster.json est illisible ({error})"
    if damage is None:
        return None
    raise _damaged(name, directory, damage)


def _damaged(name: str, directory: Path, found: str) -> ComponentError:
    return ComponentError(
        f"Retrouver le cluster « {name} » dans {directory}",
        found,
        f"Le dossier est abîmé : supprimez le cluster (« {paths.command()} down --name {name} »), "
        "puis recommencez.",
    )


def _make_keys(config: ClusterConfig) -> None:
    try:
        pki.ensure(config)
    except ValueError as error:
        found = f"les clés dans {config.pki} sont illisibles ({error})"
        raise _damaged(config.name, config.path, found) from None


def _slots_to_try(directory: Path, previous: ClusterConfig | None) -> tuple[int, ...]:
    """Return the slot of the last start alone (Services keep their addresses), or all in order."""
    if previous is not None:
        return (previous.slot,)
    claimed = set()
    for other in directory.parent.glob("*/cluster.json"):
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            claimed.add(ClusterConfig.load(other.parent).slot)
    return slots.slot_candidates(claimed)


def _configure(
    name: str,
    directory: Path,
    runtime: Path,
    slot: int,
    nodes: int | None,
    previous: ClusterConfig | None,
    programs: Binaries,
    chosen: Callable[[], Network] | None,
) -> ClusterConfig:
    if len(bytes(runtime / control_socket.SOCKET_NAME)) > _SOCKET_PATH_BYTES:
        raise ResourceError(
            f"Placer les sockets du cluster dans {runtime}",
            f"ce chemin est trop long : {_SOCKET_PATH_BYTES} octets au plus pour une socket",
            "Donnez un dossier plus court à la variable XDG_RUNTIME_DIR ou TMPDIR.",
        )
    preferred: tuple[int, ...] = ()
    if previous is not None:
        nodes = len(previous.kubelet_ports)
        fixed = (
            previous.api_port,
            previous.metrics_port,
            previous.ingress_port,
            previous.ingress_tls_port,
            previous.proxy_port,
        )
        preferred = (*fixed, *previous.kubelet_ports)
    api, metrics, ingress, ingress_tls, proxy, *kubelets = slots.choose_ports(
        slot, 5 + (1 if nodes is None else nodes), preferred
    )
    for folder in ("logs", "images", "nodes", "storage"):
        (directory / folder).mkdir(mode=0o700, exist_ok=True)
    return ClusterConfig(
        name=name,
        directory=str(directory),
        runtime_directory=str(runtime),
        slot=slot,
        kubernetes_version=programs.kubernetes_version,
        binaries=str(programs.folder),
        api_port=api,
        metrics_port=metrics,
        ingress_port=ingress,
        ingress_tls_port=ingress_tls,
        proxy_port=proxy,
        kubelet_ports=tuple(kubelets),
        network=previous.network if previous is not None else chosen() if chosen else "host",
    )


def _say_goodbye_to_the_dead(directory: Path, lock: int) -> None:
    """Note that the last supervisor was killed, and forget what made it give up."""
    if signed_by(directory) is not None:
        incidents.record(
            directory, "superviseur", "disparu sans prévenir ; cluster relancé avec ses données"
        )
        unsign(lock)
    (directory / incidents.FAILURE_FILE).unlink(missing_ok=True)


def _first_data(programs: Binaries, directory: Path, progress: Progress) -> FirstData | None:
    """Return what etcd begins with; None for one that has data of its own."""
    if (directory / "etcd").exists():
        return None
    from . import first_data

    return first_data.ensure(programs, progress)


def _plant(first: FirstData | None, directory: Path) -> None:
    if first is not None:
        first.plant(directory / "etcd")


def _spawn_supervisor(config: ClusterConfig, lock: int, slot: int) -> None:
    with control_socket.listen(config.runtime) as listener:
        descriptors = {"--lock-fd": lock, "--slot-fd": slot, "--socket-fd": listener.fileno()}
        options = [word for name, number in descriptors.items() for word in (name, str(number))]
        argv = [
            sys.executable,
            "-P",  # its working directory is no place to import from
            "-m",
            "embedded_kubernetes.control.supervisor",
            "--directory",
            config.directory,
        ]
        forked = spawn(
            [*argv, *options],
            log=config.path / "logs" / "supervisor.log",
            env=paths.environment(),
            cwd=Path("/"),
            new_session=True,
            die_with_parent=False,
            pass_fds=tuple(descriptors.values()),
        )
        forked.wait()


def wait_gone(pid: int) -> None:
    """Wait until a supervisor that has said its last word has ended."""
    with contextlib.suppress(ProcessLookupError):
        descriptor = os.pidfd_open(pid)
        select.select([descriptor], [], [], _LAST_MOMENTS_S)
        os.close(descriptor)
