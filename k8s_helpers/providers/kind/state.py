"""What the course remembers of a kind cluster that it made, in a folder of its own."""

from __future__ import annotations

import json
import os
import shutil
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from embedded_kubernetes.files import write_whole
from embedded_kubernetes.lock import try_lock

from ... import _paths
from ..._errors import BusyError
from ..._progress import Progress
from ...kube.waiting import wait_until
from . import config as kind_config

BUSY_TIMEOUT_S = 300.0
_POLL_S = 0.1


_IMAGES = "images.json"


@dataclass(frozen=True)
class KindState:
    """A cluster that was made, or whose making has begun.

    Attributes
    ----------
    node_id : str
        Id of the node's container; "" while the cluster is being made.
    ports : dict
        NodePort → port of this machine.
    ingress_port, ingress_tls_port : int
        Ports of this machine that lead to the node's ports 80 and 443 (0: nothing leads there).
    kubernetes_version : str
        The API server's `gitVersion`, once known.
    """

    ports: dict[int, int]
    ingress_port: int
    node_id: str = ""
    kubernetes_version: str = ""
    ingress_tls_port: int = 0

    def ingress(self) -> dict[int, int]:
        """Return the ports of the node that an ingress controller listens on, with those of this machine."""
        return {
            kind_config.INGRESS_PORT: self.ingress_port,
            kind_config.INGRESS_TLS_PORT: self.ingress_tls_port,
        }


class KindFolder:
    """The folder of one kind cluster: `cluster.json`, `kubeconfig`, `kind.yaml`, `lock`.

    Parameters
    ----------
    name : str
        The cluster's name.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.path = _paths.state_dir() / "clusters" / "kind" / name
        self.kubeconfig = self.path / "kubeconfig"

    def load(self) -> KindState | None:
        """Return what is known of the cluster; None where the course has made none of this name."""
        try:
            plain = json.loads((self.path / "cluster.json").read_text())
            ports = {int(inside): outside for inside, outside in plain.pop("ports").items()}
            return KindState(ports=ports, **plain)
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def save(self, state: KindState) -> None:
        """Write `cluster.json`."""
        write_whole(self.path / "cluster.json", json.dumps(asdict(state), indent=2))

    def images(self) -> dict[str, str]:
        """Return the images that were pulled or loaded, by their full names: "pulled" or "loaded"."""
        return _noted(self.path / _IMAGES)

    def note_images(self, origins: Mapping[str, str | None]) -> None:
        """Write down where images came from; None for one that was taken away."""
        noted = {**self.images(), **origins}
        kept = {name: origin for name, origin in noted.items() if origin is not None}
        write_whole(self.path / _IMAGES, json.dumps(kept, indent=2))

    def write_config(self, text: str) -> Path:
        """Write the configuration for `kind create cluster` and return its path."""
        path = self.path / "kind.yaml"
        path.write_text(text)
        return path

    def busy(self) -> bool:
        """Return whether another command is at work on the cluster; changes nothing."""
        if not self.path.is_dir():
            return False
        descriptor = try_lock(self.path)
        if descriptor is None:
            return True
        os.close(descriptor)
        return False

    @contextmanager
    def locked(self, progress: Progress) -> Iterator[None]:
        """Work on the cluster alone, after whoever is at work on it.

        Raises
        ------
        BusyError
            The other command does not end.
        """
        _paths.cluster_dir("kind", self.name)
        tried = f"Travailler sur le cluster kind « {self.name} »"
        waits = f"Une autre commande prépare le cluster « {self.name} » : attente"

        def pause(seconds: float) -> None:
            progress.step(waits)
            time.sleep(seconds)

        descriptor = wait_until(
            lambda: try_lock(self.path),
            BUSY_TIMEOUT_S,
            lambda _: BusyError(
                tried,
                f"une autre commande y travaille depuis plus de {BUSY_TIMEOUT_S:.0f} s",
                "Attendez qu’elle ait fini (ou arrêtez-la), puis recommencez.",
            ),
            done=lambda taken: taken is not None,
            every_s=_POLL_S,
            pause=pause,
        )
        assert descriptor is not None
        try:
            yield
        finally:
            os.close(descriptor)

    def delete(self) -> None:
        """Delete the folder."""
        shutil.rmtree(self.path, ignore_errors=True)


def noted_images() -> list[str]:
    """Return the full names of the images that were pulled or loaded into any kind cluster of this user."""
    files = (_paths.state_dir() / "clusters" / "kind").glob(f"*/{_IMAGES}")
    return sorted({name for file in files for name in _noted(file)})


def _noted(file: Path) -> dict[str, str]:
    try:
        noted: dict[str, str] = json.loads(file.read_text())
    except (OSError, ValueError):
        return {}
    return noted


def new_state() -> KindState:
    """Choose the ports of a new cluster among those that are free on this machine now."""
    ports = kind_config.choose_ports(kind_config.NODE_PORTS, is_free, any_free_port)
    ingress, ingress_tls = (
        preferred if is_free(preferred) else any_free_port()
        for preferred in kind_config.PREFERRED_PORTS.values()
    )
    return KindState(ports, ingress, ingress_tls_port=ingress_tls)


def is_free(port: int) -> bool:
    """Return whether a port of 127.0.0.1 can be listened on."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((kind_config.LOOPBACK, port))
        except OSError:
            return False
    return True


def any_free_port() -> int:
    """Return a port of 127.0.0.1 that is free now; the system gives another one each time."""
    with socket.socket() as probe:
        probe.bind((kind_config.LOOPBACK, 0))
        return int(probe.getsockname()[1])
