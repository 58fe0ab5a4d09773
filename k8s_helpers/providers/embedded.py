"""The embedded cluster as a provider: no engine, no root, real upstream control plane, containers as processes."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

from embedded_kubernetes.cluster import (
    API_SERVER,
    GATEWAY_CONTROLLER,
    SHARED_ADDRESS,
    ClusterConfig,
    EmbeddedCluster,
)

from .. import _french
from .._autoscaler import EMBEDDED, AutoscalerDelays
from .._errors import ClusterUnreachableError, PlatformError, UsageError
from .._progress import Progress
from ..kube.api import MERGE_PATCH, ApiSession
from ..kube.refusals import ClusterStoppedError, ignoring
from ..kube.waiting import wait_until
from .base import (
    DEFAULT_NAME,
    BaseProgram,
    ClusterIncident,
    Component,
    FidelityFact,
    Provider,
    ProviderName,
    Status,
    StoredImage,
)

_WITHOUT_LINUX = (
    "Installez Docker ou Podman et la commande kind, puis lancez « k8s-lab up --provider kind » ; "
    "sinon, suivez le cours dans une machine virtuelle Linux ou sur Binder."
)
_API_TIMEOUT_S = 60.0
_POLL_S = 0.1
_DRAIN_S = 60.0


class NodePortTakenWarning(UserWarning):
    """A NodePort answers elsewhere than on 127.0.0.1."""


class EmbeddedProvider(Provider):
    """A cluster made of plain processes of this user, on loopback addresses only.

    Parameters
    ----------
    name : str
        The cluster's name.
    nodes : int, optional
        How many nodes are simulated; by default as many as the cluster has, or one.
    """

    kind: ClassVar[ProviderName] = "embedded"
    autoscaler: ClassVar[AutoscalerDelays] = EMBEDDED

    def __init__(self, name: str = DEFAULT_NAME, *, nodes: int | None = None) -> None:
        super().__init__(name)
        self.nodes = nodes
        self._cluster = EmbeddedCluster(name)

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig, in the cluster's private folder."""
        return self._cluster.kubeconfig

    @classmethod
    def facts(cls) -> tuple[FidelityFact, ...]:
        """Return what the embedded cluster does and does not do as in production."""
        from .embedded_facts import FACTS, POD_NETWORK

        return (*FACTS, *POD_NETWORK)

    def facts_here(self) -> tuple[FidelityFact, ...]:
        """Return the facts, with those of the network that its pods have, and of containers without namespaces."""
        from .embedded_facts import FACTS, HOST_NETWORK, POD_NETWORK, WITHOUT_NAMESPACES

        prefixed = self._cluster.isolation() == "prefix"
        network = HOST_NETWORK if self._cluster.network() == "host" else POD_NETWORK
        return (*FACTS, *network, *(WITHOUT_NAMESPACES if prefixed else ()))

    def up(self, progress: Progress) -> None:
        """Start the cluster, or find it running (see `EmbeddedCluster.up` for the errors)."""
        try:
            config = self._cluster.up(progress, nodes=self.nodes)
        except PlatformError as error:
            raise PlatformError(error.tried, error.found, _WITHOUT_LINUX) from None
        progress.done(
            f"Cluster « {self.name} » prêt : Kubernetes {config.kubernetes_version}, {config.server}"
        )

    def down(self, progress: Progress) -> None:
        """Stop the cluster and delete its folder."""
        self._cluster.down(progress)

    def status(self) -> Status:
        """Tell the state without changing it."""
        state = self._cluster.status()
        return Status(
            provider=self.kind,
            name=self.name,
            state=state.state,
            kubernetes_version=state.config.kubernetes_version if state.config else None,
            kubeconfig=self.kubeconfig if state.config else None,
            components=tuple(_component(name, facts) for name, facts in state.components.items()),
            detail=state.detail or self._network_detail(state.state),
        )

    def _network_detail(self, state: str) -> str:
        if state != "running" or self._cluster.network() != "host":
            return ""
        return "un pod n’a pas de réseau à lui ici (« k8s-lab doctor » dit pourquoi)"

    def node_port_url(self, node_port: int) -> str:
        """Return the URL of a NodePort: on 127.0.0.1, or at the node's own address where that port is taken."""
        address = self._cluster.node_port_address(node_port)
        if address != SHARED_ADDRESS:
            _warn_taken(self.name, node_port, address)
        return f"http://{address}:{node_port}"

    def build_image(
        self, context: Path, tag: str, build_args: dict[str, str], progress: Progress
    ) -> None:
        """Make image `tag` from the Containerfile in folder `context`, in the cluster's image store."""
        self._require("Construire une image")
        progress.step(f"Construction de l’image {tag}")
        self._cluster.build_image(context, tag, build_args, progress)

    def base_image(self, program: BaseProgram, default: str) -> str:
        """Return the wished or the default image where this cluster has it, this machine's own program otherwise."""
        self._require("Choisir une image de base")
        wished = super().base_image(program, default)
        there = self._cluster.isolation() != "prefix" and self._cluster.image(wished) is not None
        return wished if there else f"host/{program}"

    def pull_image(self, reference: str, progress: Progress) -> str:
        """Fetch an image into the store that all embedded clusters of this user share."""
        self._require("Télécharger une image")
        return self._cluster.pull_image(reference, progress)

    def load_images(self, archive: Path, progress: Progress) -> tuple[str, ...]:
        """Take the images of an archive into the store that all embedded clusters of this user share."""
        self._require("Charger une archive d’images")
        return self._cluster.load_images(archive, progress)

    def images(self) -> tuple[StoredImage, ...]:
        """Return the images of the cluster's store and of the shared one."""
        self._require("Lister les images")
        return self._cluster.images()

    def remove_image(self, reference: str) -> None:
        """Take an image away: the cluster's own, or else the one that all clusters share."""
        self._require("Supprimer une image")
        self._cluster.remove_image(reference)

    def image_configuration(self, reference: str) -> dict[str, Any] | None:
        """Return what an image of the cluster's store says of how to run it."""
        self._require("Lire la configuration d’une image")
        image = self._cluster.image(reference)
        return None if image is None else image.to_oci()

    def stopped(self) -> ClusterStoppedError | None:
        """Return the error that says that the supervisor has ended, with the component that made it give up."""
        state = self._cluster.status()
        if state.state in ("starting", "running"):
            return None
        up = f"« k8s-lab up --provider embedded --name {self.name} »"
        if state.state == "absent":
            return ClusterStoppedError(
                f"Joindre le cluster embarqué « {self.name} »",
                "il a été supprimé (« k8s-lab down »), avec tout ce qu’il contenait",
                f"Démarrez-en un neuf : {up}, ou relancez la cellule « connect() » du notebook ; puis recommencez.",
            )
        return ClusterStoppedError(
            f"Joindre le cluster embarqué « {self.name} »",
            f"le cluster s’est arrêté ({state.detail})"
            if state.detail
            else "le cluster est arrêté",
            f"Relancez-le avec ses données : {up}, ou k8s_helpers.connect() dans un notebook ; puis recommencez.",
        )

    def incidents(self, since_wall_s: float) -> tuple[ClusterIncident, ...]:
        """Return the deaths, stops and returns of components that the supervisor wrote down."""
        incidents = (ClusterIncident(**incident) for incident in self._cluster.incidents())
        return tuple(incident for incident in incidents if incident.wall_s >= since_wall_s)

    def troubles(self, since_wall_s: float) -> tuple[str, ...]:
        """Say which components give no sign of life now, before what the supervisor wrote down."""
        components = self.status().components
        hung = (f"{part.name} : {part.trouble}" for part in components if part.trouble)
        return (*hung, *super().troubles(since_wall_s))

    def ingress_url(self, progress: Progress, *, tls: bool = False) -> str:
        """Return the URL of the node's own controller."""
        config = self._require("Joindre le contrôleur d’Ingress")
        if tls:
            return f"https://127.0.0.1:{config.ingress_tls_port}"
        return f"http://127.0.0.1:{config.ingress_port}"

    def install_gateway_api(self, progress: Progress) -> None:
        """Add the definitions; the node's own controller serves them as soon as they are there."""
        from . import gateway_api  # what measures imports little

        config = self._require("Installer Gateway API")
        progress.step("Gateway API")
        with contextlib.closing(ApiSession(config.kubeconfig)) as api:
            gateway_api.install(api, GATEWAY_CONTROLLER)

    def read_etcd(self, key: str) -> bytes | None:
        """Return what etcd keeps under a key: its socket is this user's alone."""
        tried = f"Lire « {key} » dans etcd"
        self._require(tried)
        try:
            return self._cluster.read_etcd(key)
        except (OSError, ValueError) as error:
            raise self._unreachable(tried, f"etcd ne répond pas ({error})") from None

    def encryption(self) -> str | None:
        """Return the API server's `EncryptionConfiguration`, which outlives the cluster's restarts."""
        self._require("Chiffrer dans etcd")
        return self._cluster.encryption()

    def encrypt_at_rest(self, configuration: str | None) -> None:
        """Restart the API server with an `EncryptionConfiguration`, or without any."""
        self._require("Chiffrer dans etcd")
        self._cluster.set_encryption(configuration)
        self.stop_component(API_SERVER)
        self.start_component(API_SERVER)
        self._wait_answering()

    def _wait_answering(self) -> None:
        """Return once the API server has done all that it does at its start."""
        with (
            contextlib.closing(ApiSession(self.kubeconfig, stopped=self.stopped)) as api,
            api.patient(_API_TIMEOUT_S),
        ):
            api.text("/readyz", timeout_s=5.0)

    def stop_component(self, name: str) -> None:
        """Stop a component ("etcd", "kube-scheduler", a node's name …) until `start_component`.

        Raises
        ------
        UsageError
            The cluster has no such component.
        ClusterUnreachableError
            The cluster does not run.
        """
        self._change_component(f"Arrêter « {name} »", name, self._cluster.stop_component)

    def start_component(self, name: str) -> None:
        """Start a component that `stop_component` stopped; see there for the errors."""
        self._change_component(f"Redémarrer « {name} »", name, self._cluster.start_component)

    def add_node(self) -> str:
        """Start one more node in the running cluster; see `Provider.add_node`.

        Raises
        ------
        UsageError
            There is one already.
        ClusterUnreachableError
            The cluster does not run.
        """
        tried = "Ajouter un nœud"
        with self._asking(tried):
            there = self._cluster.added_node()
        if there is not None:
            raise UsageError(
                tried,
                f"le cluster « {self.name} » a déjà un nœud de plus, et un seul est prévu",
                "Retirez-le d’abord : cluster.provider.remove_node().",
            )
        with self._asking(tried):
            name = self._cluster.add_node()
        if name is None:
            raise self._unreachable(tried, "il démarre ou s’arrête en ce moment")
        return name

    def remove_node(self) -> None:
        """Evict the pods of the node that was added, then stop it and take it out of the API and the disk."""
        tried = "Retirer le nœud ajouté"
        with self._asking(tried):
            name = self._cluster.added_node()
        if name is None:
            return
        with contextlib.closing(ApiSession(self.kubeconfig, stopped=self.stopped)) as api:
            _drain(api, name, _DRAIN_S)
        with self._asking(tried):
            self._cluster.remove_node()

    def _require(self, tried: str) -> ClusterConfig:
        """Return the cluster's configuration; raise where it does not exist."""
        config = self._cluster.status().config
        if config is None:
            raise self._unreachable(tried, "ce cluster n’existe pas")
        return config

    def _unreachable(self, tried: str, reason: str) -> ClusterUnreachableError:
        advice = f"Démarrez-le : « k8s-lab up --provider embedded --name {self.name} »."
        return ClusterUnreachableError(
            f"{tried} dans le cluster embarqué « {self.name} »", reason, advice
        )

    def _change_component(self, tried: str, name: str, change: Callable[[str], None]) -> None:
        with self._asking(tried):
            components = self._cluster.components()
        if name not in components:
            raise UsageError(
                tried,
                "ce cluster n’a pas ce composant",
                f"Choisissez parmi : {', '.join(components)}.",
            )
        with self._asking(tried):
            change(name)

    @contextlib.contextmanager
    def _asking(self, tried: str) -> Iterator[None]:
        """Explain a cluster that is not there, or whose supervisor does not answer."""
        self._require(tried)
        try:
            yield
        except OSError as error:
            raise self._unreachable(
                tried, f"son superviseur ne répond pas ({_french.system(error)})"
            ) from None


def _component(name: str, facts: dict[str, Any]) -> Component:
    restarts = facts["restarts"]
    detail = "arrêté à la demande" if not facts["wanted"] else ""
    if restarts:
        detail = f"relancé {restarts} fois"
    trouble = facts["trouble"]
    if trouble:
        detail = f"{trouble}, le superviseur va le relancer"
    return Component(name, facts["pid"] is not None, detail, trouble)


def _warn_taken(cluster: str, node_port: int, address: str) -> None:
    """Say that a NodePort of a cluster answers at another address than 127.0.0.1."""
    warnings.warn(
        f"Le port {node_port} de {SHARED_ADDRESS} est déjà pris sur cette machine, peut-être par un autre cluster : le "
        f"NodePort {node_port} du cluster « {cluster} » répond à l’adresse propre de son nœud, {address}. Pour l’avoir "
        f"aussi sur {SHARED_ADDRESS}, libérez ce port (« ss -ltnp » dit qui l’occupe) ou choisissez-en un autre.",
        NodePortTakenWarning,
        stacklevel=3,
    )


def _drain(api: ApiSession, node: str, timeout_s: float) -> None:
    """Mark a node unschedulable and evict its pods; return once they are gone, or when time is over.

    A PodDisruptionBudget may refuse an eviction (429): it is asked again. Nothing happens where the node is unknown.

    Source: https://kubernetes.io/docs/concepts/scheduling-eviction/api-eviction/
    """
    path = f"/api/v1/nodes/{node}"
    if api.find(path) is None:
        return
    with ignoring(404, 409):
        cordon = {"spec": {"unschedulable": True}}
        api.request("PATCH", path, body=cordon, content_type=MERGE_PATCH)
    query = {"fieldSelector": f"spec.nodeName={node}"}

    def drained() -> bool:
        left = [pod["metadata"] for pod in api.request("GET", "/api/v1/pods", query=query)["items"]]
        for meta in left:
            if "deletionTimestamp" not in meta:
                _evict(api, meta["namespace"], meta["name"])
        return not left

    wait_until(drained, timeout_s, every_s=_POLL_S)


def _evict(api: ApiSession, namespace: str, name: str) -> None:
    eviction = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"namespace": namespace, "name": name},
    }
    path = f"/api/v1/namespaces/{namespace}/pods/{name}/eviction"
    with ignoring(404, 409, 429):  # gone already, or not yet
        api.request("POST", path, body=eviction)
