"""What the pods of a node share, and what the parts of one pod share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ...config import ClusterConfig
from ..api import Api
from ..cri import Runtime
from ..dns.pod_files import NameFiles
from ..environment.env import EnvSources, GetFile
from ..events import EventRecorder, Kind
from ..network.addresses import Addresses
from ..objects import Objects
from ..probes.checks import Checks, ProbeTarget
from ..proxy.host_ports import HostPorts
from ..records import Object, Record
from ..rules.restarts import BackOff
from ..storage.pod_certificates import PodCertificates
from ..storage.tokens import Tokens
from .pulls import Puller


@dataclass(frozen=True)
class NodeContext:
    """What all pods of a node share.

    Attributes
    ----------
    folder : Path
        `nodes/<node>`.
    services : callable
        Returns all Services, for variables.
    pods : callable
        Returns the pods of the node that are not over.
    """

    config: ClusterConfig
    name: str
    folder: Path
    api: Api
    runtime: Runtime
    recorder: EventRecorder
    objects: Objects
    tokens: Tokens
    certificates: PodCertificates
    puller: Puller
    back_off: BackOff
    checks: Checks
    names: NameFiles
    addresses: Addresses
    host_ports: HostPorts
    allocatable: Mapping[str, str]
    services: Callable[[], tuple[Object, ...]]
    pods: Callable[[], list[Object]]

    @property
    def host_address(self) -> str:
        """The address of pods that live in the node's network."""
        return self.config.host_address(self.name)


class PodContext:
    """What the parts of one pod share.

    Attributes
    ----------
    pod : dict
        The pod as the API has it now.
    address : str
        What its programs bind; "" before it has one.
    allocated, actuated : dict
        The resources of the pod as a whole that the node has granted it, and those that hold it now.
    """

    def __init__(self, node: NodeContext, pod: Object) -> None:
        self.node = node
        self.pod = pod
        self.uid: str = pod["metadata"]["uid"]
        self.folder: Path = node.folder / "pods" / self.uid
        self.address = ""
        self.allocated: Object = pod["spec"].get("resources") or {}
        self.actuated = self.allocated

    @property
    def namespace(self) -> str:
        """The pod's namespace."""
        namespace: str = self.pod["metadata"]["namespace"]
        return namespace

    @property
    def path(self) -> str:
        """The pod's path in the API."""
        return f"/api/v1/namespaces/{self.namespace}/pods/{self.pod['metadata']['name']}"

    async def get(self, resource: str, name: str) -> Object | None:
        """Return an object of the pod's namespace (see `env.GetObject`)."""
        return await self.node.objects.get(resource, self.namespace, name)

    def env_sources(self, file: GetFile) -> EnvSources:
        """Return where the pod's variables come from (see `EnvSources.file`)."""
        return EnvSources(
            pod=self.pod,
            pod_ip=self.address,
            host_ip=self.node.host_address,
            allocatable=self.node.allocatable,
            services=self.node.services(),
            get=self.get,
            file=file,
        )

    def target(self, record: Record) -> ProbeTarget:
        """Return where a started container is checked."""
        assert record.container is not None
        return ProbeTarget(record.container, record.spec, self.address, self.shown)

    def shown(self, address: str) -> str:
        """Return the address that the API shows for the one that programs bind."""
        at_host = address == self.node.host_address
        return address if at_host else self.node.config.shown(address)

    def tell(self, record: Record, kind: Kind, reason: str, message: str) -> None:
        """Record an event of a container."""
        self.node.recorder.container(self.pod, record.name, kind, reason, message)
