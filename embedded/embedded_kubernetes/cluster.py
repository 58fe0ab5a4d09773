"""One cluster, by its name: all that a program does with it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .config import GATEWAY_CONTROLLER as GATEWAY_CONTROLLER
from .config import ClusterConfig
from .control import control_socket, etcd_gateway, incidents, lifecycle
from .control.control_plane import API_SERVER, ENCRYPTION_FILE
from .files import write_whole
from .node.images import library
from .node_ports import SHARED_ADDRESS, find
from .progress import Progress

if TYPE_CHECKING:
    from .node.cri import ImageConfig
    from .programs.binaries import Binaries

__all__ = ["API_SERVER", "SHARED_ADDRESS", "ClusterConfig", "EmbeddedCluster", "prepare"]

_NODE_PORT_S = 2.0
"""How long the node may take to hear of a Service."""


def prepare(progress: Progress) -> Binaries:
    """Fetch or make what every start needs, and return Kubernetes' programs; see `programs.binaries.ensure`.

    Beside them: the data that etcd of a new cluster begins with.
    """
    from .control import first_data
    from .programs import binaries

    programs = binaries.ensure(progress)
    first_data.ensure(programs, progress)
    return programs


class EmbeddedCluster:
    """A cluster of this user on this machine, whether it exists yet or not.

    Methods that need a running cluster raise `OSError` where there is none.

    Parameters
    ----------
    name : str
        1 to 32 letters (a-z), digits and dashes.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    @property
    def directory(self) -> Path:
        """The cluster's private folder; not made by asking."""
        return lifecycle.directory_of(self.name)

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig."""
        return self.directory / "kubeconfig"

    def up(self, progress: Progress, *, nodes: int | None = None) -> ClusterConfig:
        """Start the cluster, or find it running; see `control.lifecycle.up`, which lists the errors."""
        from .node.isolation import network_chosen

        return lifecycle.up(self.name, progress, nodes=nodes, choice=network_chosen)

    def down(self, progress: Progress) -> None:
        """Stop the cluster and delete its folder; see `control.lifecycle.down`."""
        lifecycle.down(self.name, progress)

    def status(self) -> lifecycle.ClusterState:
        """Tell the cluster's state within two seconds, without changing it."""
        return lifecycle.status(self.name)

    def isolation(self) -> str:
        """Return how nodes keep containers apart ("namespaces", "prefix"); "" before one has started."""
        return lifecycle.isolation(self.name)

    def network(self) -> str:
        """Return whether each pod has a network of its own ("pods") or not ("host"); "" before the first start."""
        try:
            return self._config().network
        except (OSError, ValueError, KeyError, TypeError):
            return ""

    def incidents(self) -> list[dict[str, Any]]:
        """Return what happened to components: `wall_s` (since the epoch), `component`, `what` (in French)."""
        return incidents.read(self.directory)

    def node_port_address(self, port: int) -> str:
        """Return where a NodePort answers: on 127.0.0.1, or at the node's own address where that port is taken."""
        return find(self.directory, port, _NODE_PORT_S) or SHARED_ADDRESS

    def build_image(
        self,
        context: Path,
        tag: str,
        build_args: Mapping[str, str],
        progress: Progress | None = None,
    ) -> ImageConfig:
        """Make an image from the Containerfile of a folder; see `node.images.library.build`."""
        return library.build(self._config().path / "images", context, tag, build_args, progress)

    def pull_image(self, reference: str, progress: Progress) -> str:
        """Fetch an image from its registry, for all clusters; see `node.images.library.pull`."""
        return library.pull(reference, progress)

    def load_images(self, archive: Path, progress: Progress) -> tuple[str, ...]:
        """Take the images of an archive, for all clusters; see `node.images.library.load`."""
        return library.load(archive, progress)

    def images(self) -> tuple[library.StoredImage, ...]:
        """Return the images that the cluster can run without fetching them; see `node.images.library.stored`."""
        return library.stored(self._config().path / "images")

    def remove_image(self, reference: str) -> None:
        """Take an image away; see `node.images.library.remove`."""
        library.remove(reference, self._config().path / "images")

    def image(self, reference: str) -> ImageConfig | None:
        """Return an image of the cluster's store, or None where there is none of that name."""
        from .node.images.store import Store

        return Store(self._config().path / "images").get(reference)

    def read_etcd(self, key: str) -> bytes | None:
        """Return what etcd keeps under a key, None where there is none; see `control.etcd_gateway.read`."""
        return etcd_gateway.read(self._config().runtime / "etcd.sock", key)

    def encryption(self) -> str | None:
        """Return the API server's `EncryptionConfiguration`, which outlives the cluster's restarts."""
        file = self._config().path / ENCRYPTION_FILE
        return file.read_text(encoding="utf-8") if file.exists() else None

    def set_encryption(self, configuration: str | None) -> None:
        """Give the API server an `EncryptionConfiguration`, or none, from its next start on."""
        file = self._config().path / ENCRYPTION_FILE
        if configuration is None:
            file.unlink(missing_ok=True)
        else:
            write_whole(file, configuration, private=True)

    def components(self) -> tuple[str, ...]:
        """Return the names of the components, which `stop_component` takes."""
        return tuple(self._ask({"do": "status"})["components"])

    def stop_component(self, name: str) -> None:
        """Stop a component ("etcd", "kube-scheduler", a node's name …) until `start_component`."""
        self._ask({"do": "stop", "component": name})

    def start_component(self, name: str) -> None:
        """Start a component that `stop_component` stopped."""
        self._ask({"do": "start", "component": name})

    def added_node(self) -> str | None:
        """Return the name of the node that `add_node` added, None where there is none."""
        name: str | None = self._ask({"do": "status"})["added"]
        return name

    def add_node(self) -> str | None:
        """Start one more node, where there is none yet, and return its name; None while the cluster starts or stops."""
        name: str | None = self._ask({"do": "add node"})["added"]
        return name

    def remove_node(self) -> None:
        """Stop the node that was added and take it out of the API and the disk; its pods go with it."""
        self._ask({"do": "remove node"})

    def _config(self) -> ClusterConfig:
        return ClusterConfig.load(self.directory)

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        runtime = self._config().runtime
        return control_socket.ask(runtime, request, timeout_s=lifecycle.STOP_TIMEOUT_S)
