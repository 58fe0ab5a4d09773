"""kind: a real Kubernetes whose node is a container of Docker or Podman.

A thin layer over the `kind` command: what it says becomes French, what it leaves half made is removed, and nothing
but our own folder is written (never `~/.kube/config`).
"""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Generator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, cast

from embedded_kubernetes.processes import CommandError, run, stream

from ..._autoscaler import KIND, AutoscalerDelays
from ..._errors import ClusterUnreachableError, EngineError, K8sHelpersError, WaitTimeoutError
from ..._progress import Progress
from ...kube.api import ApiSession
from ...kube.waiting import wait_until
from ..base import (
    DEFAULT_NAME,
    Component,
    FidelityFact,
    Provider,
    ProviderName,
    Status,
    StoredImage,
)
from . import addons
from . import config as kind_config
from . import images as kind_images
from . import parts as kind_parts
from . import state as kind_state
from . import store as kind_store
from . import words as kind_words
from .engine import Container, Engine, require_engine, thaw
from .facts import FACTS

OLDEST_KIND = (0, 27)
READY_TIMEOUT_S = 120.0
_DELETE_S = 120.0
_POLL_S = 0.1


class KindProvider(Provider):
    """A cluster made by the `kind` command, with one node.

    Parameters
    ----------
    name : str
        The cluster's name, for kind too.
    """

    kind: ClassVar[ProviderName] = "kind"
    closing_s: ClassVar[float] = 1.0  # the engine's proxy accepts first, then asks the node
    autoscaler: ClassVar[AutoscalerDelays] = KIND

    def __init__(self, name: str = DEFAULT_NAME) -> None:
        super().__init__(name)
        self._folder = kind_state.KindFolder(name)
        self._node = f"{name}-control-plane"

    @classmethod
    def facts(cls) -> tuple[FidelityFact, ...]:
        """Return what kind's clusters do and do not do as in production."""
        return FACTS

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig, in the cluster's private folder."""
        return self._folder.kubeconfig

    @property
    def ingress_port(self) -> int | None:
        """Port of 127.0.0.1 that leads to the node's port 80; None where there is no cluster."""
        state = self._folder.load()
        return state.ingress_port if state else None

    def up(self, progress: Progress) -> None:
        """Create the cluster, start it again, or find it running; return when its node is Ready.

        Raises
        ------
        EngineError
            No engine or `kind` command, too old ones, a name that someone else's cluster has, a creation that fails.
        ResourceError
            No port, disk or memory.
        BusyError
            Another command is at work on the cluster for long.
        """
        engine = require_engine()
        _require_kind()
        with self._folder.locked(progress):
            try:
                self._up(engine, progress)
            except BaseException:
                if self._folder.load() is None:
                    self._folder.delete()
                raise
        progress.done(f"Cluster « {self.name} » prêt (kind, {engine.command} {engine.version})")

    def _up(self, engine: Engine, progress: Progress) -> None:
        state, node = self._folder.load(), engine.container(self._node)
        if node is not None and state is None:
            raise kind_words.taken(self.name)
        if node is not None and state is not None and state.node_id:
            if state.node_id != node.container_id:
                raise kind_words.taken(self.name)
            self._wake(engine, node, progress)
            return
        if node is not None:  # a creation that a killed process left
            self._delete_cluster(engine, progress)
        self._create(engine, progress)
        addons.install_metrics(engine, self.name, self._node, progress)

    def _wake(self, engine: Engine, node: Container, progress: Progress) -> None:
        """Start the node where it is stopped (the machine was restarted), and wait until it is Ready."""
        if not node.running:
            progress.step("Redémarrage du nœud")
            engine.run("start", self._node)
            node = engine.container(self._node) or node
        if not self.kubeconfig.exists():
            target = ("--name", self.name, "--kubeconfig", str(self.kubeconfig))
            _kind(engine, "export", "kubeconfig", *target)
        kind_parts.restore(engine, self._node)
        self._wait_ready(progress, node.started_at)

    def _create(self, engine: Engine, progress: Progress) -> None:
        """Create the cluster; ports that someone takes meanwhile are chosen anew, once."""
        for attempt in (1, 2):
            state = kind_state.new_state()
            self._folder.save(state)
            image = kind_images.node_image(engine)
            text = kind_config.build(
                state.ports, state.ingress(), image=image, cgroup_v1=engine.cgroup_v1
            )
            output: list[str] = []
            try:
                self._run_kind(engine, self._folder.write_config(text), output, progress)
                version = self._wait_ready(progress)
                node = engine.container(self._node)
                node_id = node.container_id if node else ""
                self._folder.save(replace(state, node_id=node_id, kubernetes_version=version))
                return
            except CommandError:
                self._clean(engine, progress)
                said = "\n".join(output[-25:])
                if attempt == 2 or not kind_words.PORT_TAKEN.search(said):
                    raise kind_words.failure(self.name, said) from None
            except BaseException:
                self._clean(engine, progress)
                raise

    def _run_kind(
        self, engine: Engine, config: Path, output: list[str], progress: Progress
    ) -> None:
        argv = ["kind", "create", "cluster", "--name", self.name, "--config", str(config)]
        argv += ["--kubeconfig", str(self.kubeconfig), "--wait", f"{READY_TIMEOUT_S:.0f}s"]
        progress.step("Préparation de kind", 0.0)
        lines = cast(Generator[str], stream(argv, env=engine.environment))
        with contextlib.closing(lines):  # ends the command where we are interrupted
            for line in lines:
                output.append(line)
                if (said := kind_words.step(line)) is not None:
                    progress.step(*said)

    def _clean(self, engine: Engine, progress: Progress) -> None:
        """Remove what a creation that failed or was interrupted has left."""
        with contextlib.suppress(CommandError):
            self._delete_cluster(engine, progress)
        for name in ("cluster.json", "kubeconfig", "kind.yaml"):
            (self._folder.path / name).unlink(missing_ok=True)

    def _delete_cluster(self, engine: Engine, progress: Progress) -> None:
        progress.step(f"Suppression du cluster kind « {self.name} »")
        argv = ("delete", "cluster", "--name", self.name, "--kubeconfig", str(self.kubeconfig))
        try:
            _kind(engine, *argv)
        except K8sHelpersError:
            node = engine.container(self._node)
            if node is None or not thaw(node.container_id):
                raise
            _kind(engine, *argv)

    def _wait_ready(self, progress: Progress, started_at: str = "") -> str:
        """Wait until the API answers and the node has said since `started_at` that it is Ready; return the version."""
        progress.step("Attente du nœud", 0.96)
        end_s = time.monotonic() + READY_TIMEOUT_S
        trouble = "il n’est pas prêt"

        def version() -> str:
            nonlocal trouble
            try:
                with contextlib.closing(ApiSession(self.kubeconfig)) as api:
                    api.text("/readyz", timeout_s=5.0)
                    answer = str(api.request("GET", "/version", timeout_s=5.0)["gitVersion"])
                    left_s = max(1.0, end_s - time.monotonic())
                    with api.watch("/api/v1/nodes", timeout_s=left_s) as watch:
                        ready = any(_node_ready(event.object, started_at) for event in watch)
                    return answer if ready else ""
            except K8sHelpersError as error:
                trouble = error.found
                return ""

        return wait_until(
            version,
            READY_TIMEOUT_S,
            lambda _: WaitTimeoutError(
                f"Attendre le cluster kind « {self.name} » pendant {READY_TIMEOUT_S:.0f} s",
                trouble,
                f"Regardez les journaux du conteneur « {self._node} » ; au besoin, « k8s-lab down » puis "
                "« k8s-lab up ».",
            ),
            every_s=_POLL_S,
        )

    def down(self, progress: Progress) -> None:
        """Delete the cluster that `up` made and its folder; a cluster of someone else is left alone.

        Raises
        ------
        EngineError
            The engine or `kind` is not there to delete it.
        """
        state = self._folder.load()
        if state is None and not self._folder.path.is_dir():
            return
        engine = require_engine()
        with self._folder.locked(progress):
            node = engine.container(self._node)
            if state is not None and node is not None and state.node_id in ("", node.container_id):
                _require_kind()
                self._delete_cluster(engine, progress)
            self._folder.delete()

    def status(self) -> Status:
        """Tell the state without changing it."""
        status = partial(Status, self.kind, self.name)
        state = self._folder.load()
        if state is None:
            return status("absent")
        if not state.node_id:
            if self._folder.busy():
                return status("starting", detail="il est en train d’être créé")
            return status("broken", detail="sa création a été interrompue")
        version = state.kubernetes_version
        try:
            node = require_engine().container(self._node)
        except (EngineError, CommandError) as error:
            return status("broken", version, self.kubeconfig, detail=error.found)
        if node is None or node.container_id != state.node_id:
            return status("broken", version, detail="le conteneur de son nœud n’existe plus")
        components = (Component(self._node, node.running),)
        if not node.running:
            return status("stopped", version, self.kubeconfig, components)
        try:
            with contextlib.closing(ApiSession(self.kubeconfig)) as api:
                api.text("/readyz", timeout_s=3.0)
        except K8sHelpersError as error:
            return status("starting", version, self.kubeconfig, components, error.found)
        return status("running", version, self.kubeconfig, components)

    def node_port_url(self, node_port: int) -> str | None:
        """Return the URL of a NodePort; None for one outside the range that the cluster was made with."""
        state = self._folder.load()
        port = state.ports.get(node_port) if state else None
        return f"http://{kind_config.LOOPBACK}:{port}" if port else None

    def ingress_url(self, progress: Progress, *, tls: bool = False) -> str:
        """Return the URL of Traefik, which is installed where it is missing."""
        state = self._folder.load()
        if tls and state is not None and not state.ingress_tls_port:
            raise ClusterUnreachableError(
                f"Joindre le cluster kind « {self.name} » en HTTPS",
                "ce cluster a été créé par une version du cours qui n’ouvrait pas de port pour HTTPS",
                "Recréez-le : « k8s-lab down », puis « k8s-lab up ».",
            )
        self.install_gateway_api(progress)
        if tls:
            return f"https://{kind_config.LOOPBACK}:{state.ingress_tls_port if state else None}"
        return f"http://{kind_config.LOOPBACK}:{self.ingress_port}"

    def install_gateway_api(self, progress: Progress) -> None:
        """Install Traefik, which asks for the definitions of Gateway API, after them."""
        from .. import gateway_api  # what measures imports little

        def definitions() -> None:
            with contextlib.closing(ApiSession(self.kubeconfig)) as api:
                gateway_api.install(api, addons.GATEWAY_CONTROLLER)

        addons.ensure_ingress(require_engine(), self.name, self._node, progress, definitions)

    def read_etcd(self, key: str) -> bytes | None:
        """Return what etcd keeps under a key."""
        return kind_parts.read_etcd(require_engine(), self._node, key)

    def image_configuration(self, reference: str) -> dict[str, Any] | None:
        """Return what an image of the node says of how to run it."""
        return kind_images.configuration(require_engine(), self._node, reference)

    def stop_component(self, name: str) -> None:
        """Stop a component of the control plane until `start_component`: its manifest leaves the kubelet's folder."""
        kind_parts.stop(require_engine(), self._node, name)

    def start_component(self, name: str) -> None:
        """Start a component that `stop_component` stopped."""
        kind_parts.start(require_engine(), self._node, name)

    def build_image(
        self, context: Path, tag: str, build_args: dict[str, str], progress: Progress
    ) -> None:
        """Build with the engine, then carry the image into the node; what has not changed is not done again."""
        engine = self._engine(f"Charger l’image {tag}")
        kind_images.build(engine, context, tag, build_args, progress)
        kind_images.load(engine, self.name, self._node, kind_images.reference(tag), progress)

    def pull_image(self, reference: str, progress: Progress) -> str:
        """Let the engine fetch the image, then carry it into the node."""
        engine = self._engine(f"Télécharger l’image {reference}")
        full = kind_images.reference(reference)
        kind_store.pull(engine, full, progress)
        kind_images.load(engine, self.name, self._node, full, progress)
        self._folder.note_images({full: "pulled"})
        return full

    def load_images(self, archive: Path, progress: Progress) -> tuple[str, ...]:
        """Carry an archive of images into the node."""
        engine = self._engine(f"Charger l’archive {archive}")
        names = kind_store.load_from(engine, self.name, archive, progress)
        self._folder.note_images({kind_images.reference(name): "loaded" for name in names})
        return names

    def images(self) -> tuple[StoredImage, ...]:
        """Return the images of the node."""
        engine = self._engine("Lister les images")
        return kind_store.stored(engine, self._node, self._folder.images())

    def remove_image(self, reference: str) -> None:
        """Take an image away from the node; the engine keeps its own."""
        engine = self._engine(f"Supprimer l’image {reference}")
        kind_store.remove(engine, self.name, self._node, reference)
        self._folder.note_images({kind_images.reference(reference): None})

    def _engine(self, tried: str) -> Engine:
        """Return the engine; raise where the cluster does not exist."""
        engine = require_engine()
        if engine.container(self._node) is None:
            raise ClusterUnreachableError(
                f"{tried}, dans le cluster kind « {self.name} »",
                "ce cluster n’existe pas",
                f"Créez-le : « k8s-lab up --provider kind --name {self.name} ».",
            )
        return engine


def _require_kind() -> None:
    if shutil.which("kind") is None:
        raise kind_words.missing()
    said = run(["kind", "version"], timeout_s=10.0).stdout
    version = kind_words.version(said)
    if version is not None and version < OLDEST_KIND:
        raise kind_words.too_old(said, OLDEST_KIND)


def _kind(engine: Engine, *arguments: str) -> None:
    run(["kind", *arguments], timeout_s=_DELETE_S, env=engine.environment)


def _node_ready(node: dict[str, Any], started_at: str) -> bool:
    """Return whether the kubelet says Ready, and has said so since the node was started (whole seconds in UTC)."""
    for condition in node.get("status", {}).get("conditions", ()):
        if condition["type"] == "Ready":
            return bool(
                condition["status"] == "True"
                and condition["lastHeartbeatTime"][:19] >= started_at[:19]
            )
    return False
