"""The embedded cluster as a provider: no engine, no root, real upstream control plane, containers as processes."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from .. import _french
from .._api import ApiSession
from .._errors import ClusterUnreachableError, K8sHelpersError, UsageError
from .._files import write_whole
from .._progress import Progress
from .._refusals import ClusterStoppedError, passing
from ..embedded import control, control_plane, etcd_gateway, lifecycle, node_ports, supervisor
from ..embedded.config import ClusterConfig
from . import draining, embedded_network
from .base import (
    COURSE_TIMES,
    DEFAULT_NAME,
    AutoscalerTimes,
    ClusterIncident,
    Component,
    Fact,
    Provider,
    ProviderName,
    Status,
)
from .embedded_facts import FACTS
from .prefix_facts import WITHOUT_NAMESPACES

_API_TIMEOUT_S = 60.0
_POLL_S = 0.1
_DRAIN_S = 60.0
_NODE_PORT_S = 2.0
"""How long the node may take to hear of a Service."""


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
    facts: ClassVar[tuple[Fact, ...]] = FACTS
    autoscaler: ClassVar[AutoscalerTimes] = replace(COURSE_TIMES, metrics_window_s=2.0)

    def __init__(self, name: str = DEFAULT_NAME, *, nodes: int | None = None) -> None:
        super().__init__(name)
        self.nodes = nodes

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig, in the cluster's private folder."""
        return lifecycle.directory_of(self.name) / "kubeconfig"

    def facts_here(self) -> tuple[Fact, ...]:
        """Return the facts, and those of a node whose containers have no namespaces."""
        found = lifecycle.isolation(self.name)
        return (*self.facts, *WITHOUT_NAMESPACES) if found == "prefix" else self.facts

    def up(self, progress: Progress) -> None:
        """Start the cluster, or find it running (see `lifecycle.up` for the errors)."""
        config = lifecycle.up(self.name, progress, nodes=self.nodes)
        progress.done(
            f"Cluster « {self.name} » prêt : Kubernetes {config.kubernetes_version}, {config.server}"
        )

    def down(self, progress: Progress) -> None:
        """Stop the cluster and delete its folder."""
        lifecycle.down(self.name, progress)

    def status(self) -> Status:
        """Tell the state without changing it."""
        state = lifecycle.status(self.name)
        return Status(
            provider=self.kind,
            name=self.name,
            state=state.state,
            kubernetes_version=state.config.kubernetes_version if state.config else None,
            kubeconfig=self.kubeconfig if state.config else None,
            components=tuple(_component(name, facts) for name, facts in state.components.items()),
            detail=state.detail,
        )

    def node_port_url(self, node_port: int) -> str:
        """Return the URL of a NodePort: on 127.0.0.1, or at the node's own address where that port is taken."""
        folder = lifecycle.directory_of(self.name)
        address = node_ports.find(folder, node_port, _NODE_PORT_S) or node_ports.SHARED_ADDRESS
        if address != node_ports.SHARED_ADDRESS:
            embedded_network.warn_taken(self.name, node_port, address)
        return f"http://{address}:{node_port}"

    def build_image(
        self, context: Path, tag: str, build_args: dict[str, str], progress: Progress
    ) -> None:
        """Make image `tag` from the Containerfile in folder `context`, in the cluster's image store."""
        from ..embedded.node import images

        progress.step(f"Construction de l’image {tag}")
        images.build(self._config("Construire une image").path / "images", context, tag, build_args)

    def image_configuration(self, reference: str) -> dict[str, Any] | None:
        """Return what an image of the cluster's store says of how to run it."""
        from ..embedded.node import images

        store = self._config("Lire la configuration d’une image").path / "images"
        image = images.Store(store).get(reference)
        return None if image is None else image.to_oci()

    def stopped(self) -> ClusterStoppedError | None:
        """Return the error that says that the supervisor has ended, with the component that made it give up."""
        state = lifecycle.status(self.name)
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
        path = lifecycle.directory_of(self.name) / supervisor.INCIDENTS_FILE
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return ()
        found = (ClusterIncident(**json.loads(line)) for line in lines)
        return tuple(incident for incident in found if incident.wall_s >= since_wall_s)

    def troubles(self, since_wall_s: float) -> tuple[str, ...]:
        """Say which components give no sign of life now, before what the supervisor wrote down."""
        hung = (f"{one.name} : {one.trouble}" for one in self.status().components if one.trouble)
        return (*hung, *super().troubles(since_wall_s))

    def ingress_url(self, progress: Progress) -> str:
        """Return the URL of the node's own controller."""
        port = self._config("Joindre le contrôleur d’Ingress").ingress_port
        return f"http://127.0.0.1:{port}"

    def read_etcd(self, key: str) -> bytes | None:
        """Return what etcd keeps under a key: its socket is this user's alone."""
        tried = f"Lire « {key} » dans etcd"
        try:
            return etcd_gateway.read(self._config(tried).runtime / "etcd.sock", key)
        except (OSError, ValueError) as error:
            raise self._unreachable(tried, f"etcd ne répond pas ({error})") from None

    def encryption(self) -> str | None:
        """Return the API server's `EncryptionConfiguration`, which outlives the cluster's restarts."""
        file = self._config("Chiffrer dans etcd").path / control_plane.ENCRYPTION_FILE
        return file.read_text(encoding="utf-8") if file.exists() else None

    def encrypt_at_rest(self, configuration: str | None) -> None:
        """Restart the API server with an `EncryptionConfiguration`, or without any."""
        config = self._config("Chiffrer dans etcd")
        file = config.path / control_plane.ENCRYPTION_FILE
        if configuration is None:
            file.unlink(missing_ok=True)
        else:
            write_whole(file, configuration, private=True)
        self.stop_component(control_plane.API_SERVER)
        self.start_component(control_plane.API_SERVER)
        self._wait_answering()

    def _wait_answering(self) -> None:
        """Return once the API server has done all that it does at its start."""
        api = ApiSession(self.kubeconfig, stopped=self.stopped)
        end_s = time.monotonic() + _API_TIMEOUT_S
        try:
            while True:
                try:
                    api.text("/readyz", timeout_s=5.0)
                    return
                except K8sHelpersError as error:
                    if not passing(error) or time.monotonic() > end_s:
                        raise
                time.sleep(_POLL_S)
        finally:
            api.close()

    def stop_component(self, name: str) -> None:
        """Stop a component ("etcd", "kube-scheduler", a node's name …) until `start_component`.

        Raises
        ------
        UsageError
            The cluster has no such component.
        ClusterUnreachableError
            The cluster does not run.
        """
        self._change_component("stop", name)

    def start_component(self, name: str) -> None:
        """Start a component that `stop_component` stopped; see there for the errors."""
        self._change_component("start", name)

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
        if self._ask(tried, {"do": "status"})["added"] is not None:
            raise UsageError(
                tried,
                f"le cluster « {self.name} » a déjà un nœud de plus, et un seul est prévu",
                "Retirez-le d’abord : cluster.provider.remove_node().",
            )
        name: str | None = self._ask(tried, {"do": "add node"})["added"]
        if name is None:
            raise self._unreachable(tried, "il démarre ou s’arrête en ce moment")
        return name

    def remove_node(self) -> None:
        """Evict the pods of the node that was added, then stop it and take it out of the API and the disk."""
        tried = "Retirer le nœud ajouté"
        name = self._ask(tried, {"do": "status"})["added"]
        if name is None:
            return
        api = ApiSession(self.kubeconfig, stopped=self.stopped)
        try:
            draining.drain(api, name, _DRAIN_S)
        finally:
            api.close()
        self._ask(tried, {"do": "remove node"})

    def _config(self, tried: str) -> ClusterConfig:
        config = lifecycle.status(self.name).config
        if config is None:
            raise self._unreachable(tried, "ce cluster n’existe pas")
        return config

    def _unreachable(self, tried: str, found: str) -> ClusterUnreachableError:
        advice = f"Démarrez-le : « k8s-lab up --provider embedded --name {self.name} »."
        return ClusterUnreachableError(
            f"{tried} dans le cluster embarqué « {self.name} »", found, advice
        )

    def _change_component(self, verb: str, name: str) -> None:
        tried = f"{'Arrêter' if verb == 'stop' else 'Redémarrer'} « {name} »"
        components = self._ask(tried, {"do": "status"})["components"]
        if name not in components:
            raise UsageError(
                tried,
                "ce cluster n’a pas ce composant",
                f"Choisissez parmi : {', '.join(components)}.",
            )
        self._ask(tried, {"do": verb, "component": name})

    def _ask(self, tried: str, request: dict[str, Any]) -> dict[str, Any]:
        """Ask the supervisor."""
        runtime = self._config(tried).runtime
        try:
            return control.ask(runtime, request, timeout_s=lifecycle.STOP_TIMEOUT_S)
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
