"""What one embedded cluster is made of: names, ports, addresses and files, chosen once at its first start.

Where each pod has a network of its own ("pods"), a cluster's addresses are those of any cluster, and nobody else's.
Where that cannot be ("host"), pods and Services live on loopback: it has 2^24 addresses, and every ordinary user may
bind them. Two clusters on one machine (thirty students on one server) take different slots, so they never meet.
"""

from __future__ import annotations

import ipaddress
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from .files import write_whole

SLOTS = 32
"""How many embedded clusters one machine can hold at once."""

ISOLATION_FILE = "isolation"
"""In a node's folder: how its containers are kept apart (see `node/cri.py`)."""

REMOVER_FILE = "remover.json"
"""In a cluster's folder where files in it belong to other ids than the user's: the command line that deletes a folder
with them, but for the last argument, the task (see `node/runtime/users/file_tasks.py`)."""

NODE_PORTS = range(30000, 32768)
"""Every NodePort that a cluster can give: upstream's own default."""

_NODES_BLOCK = 255
"""Third byte of the nodes' addresses in the cluster's /16; pods have the blocks below (`node.addresses`)."""

GATEWAY_CONTROLLER = "k8s-helpers.dev/embedded-gateway"
"""`controllerName` of the GatewayClasses that the node serves."""

Network = Literal["pods", "host"]


@dataclass(frozen=True)
class ClusterConfig:
    """Everything the supervisor, the control plane and the node agents must agree on.

    Attributes
    ----------
    directory : str
        The cluster's private folder (0700): `pki/`, `etcd/`, `logs/`, `images/`, `nodes/NAME/`, `kubeconfig`.
    runtime_directory : str
        Short private folder of the unix sockets (`etcd.sock`, `supervisor.sock`, `egress.sock`).
    slot : int
        0 to 31; decides the loopback blocks.
    binaries : str
        Folder of etcd, kube-apiserver, kube-controller-manager, kube-scheduler, kubectl.
    network : "pods" or "host"
        Whether each pod has a network of its own, or shares this machine's.
    api_port, kubelet_port, metrics_port, ingress_port, ingress_tls_port : int
        TCP ports on 127.0.0.1, 0 where a cluster began without (`kubelet_port` is the first node's; node i listens on
        `kubelet_ports[i]`).
    """

    name: str
    directory: str
    runtime_directory: str
    slot: int
    kubernetes_version: str
    binaries: str
    api_port: int
    metrics_port: int
    ingress_port: int
    proxy_port: int
    kubelet_ports: tuple[int, ...]
    network: Network = "host"
    ingress_tls_port: int = 0

    @property
    def path(self) -> Path:
        """The cluster's folder."""
        return Path(self.directory)

    @property
    def runtime(self) -> Path:
        """The folder of the sockets."""
        return Path(self.runtime_directory)

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig."""
        return self.path / "kubeconfig"

    @property
    def pki(self) -> Path:
        """The folder of keys and certificates."""
        return self.path / "pki"

    @property
    def egress_socket(self) -> Path:
        """Where the API server asks for every connection into the cluster."""
        return self.runtime / "egress.sock"

    @property
    def server(self) -> str:
        """The API server's URL."""
        return f"https://127.0.0.1:{self.api_port}"

    @property
    def advertised_address(self) -> str:
        """Where the API server says that it is: pods of a network of their own find it at the first node."""
        return self.node_address(self.node_names[0]) if self.network == "pods" else "127.0.0.1"

    @property
    def node_names(self) -> tuple[str, ...]:
        """Names of the nodes, in the order of `kubelet_ports`."""
        return tuple(f"{self.name}-node-{index + 1}" for index in range(len(self.kubelet_ports)))

    @property
    def service_cidr(self) -> str:
        """ClusterIPs; on loopback, addresses that validation takes and every user can bind."""
        return "10.96.0.0/16" if self.network == "pods" else f"127.{96 + self.slot}.0.0/16"

    @property
    def pod_cidr(self) -> str:
        """Addresses that pods show in the API (validation refuses endpoints in 127/8)."""
        return "10.244.0.0/16" if self.network == "pods" else f"10.{244 - self.slot}.0.0/16"

    @property
    def gateway(self) -> str:
        """What pods see as the source of what comes from no pod."""
        return f"{self.pod_cidr.rsplit('.', 2)[0]}.0.1"

    def loopback_address(self, node: str) -> str:
        """Return the loopback address of this machine that stands for a node, which no other cluster has."""
        return f"127.{244 - self.slot}.{_NODES_BLOCK}.{self.node_names.index(node) + 1}"

    def host_address(self, node: str) -> str:
        """Return the address of pods that live in their node's network, and of the node for them: `status.hostIP`."""
        return self.node_address(node) if self.network == "pods" else "127.0.0.1"

    def node_address(self, node: str) -> str:
        """Return a node's own address, where pods reach it."""
        return self.bindable(self.node_shown(node))

    def node_shown(self, node: str) -> str:
        """Return the form of it that the API server consents to connect to (10.244.255.1)."""
        first, second = self.pod_cidr.split(".")[:2]
        return f"{first}.{second}.{_NODES_BLOCK}.{self.node_names.index(node) + 1}"

    def bindable(self, pod_ip: str) -> str:
        """Return the address that programs bind for one that the API shows (10.244.a.b → 127.244.a.b on loopback)."""
        return pod_ip if self.network == "pods" else "127" + pod_ip[pod_ip.index(".") :]

    def shown(self, bindable: str) -> str:
        """Return the address that the API shows for one that programs bind."""
        return bindable if self.network == "pods" else "10" + bindable[bindable.index(".") :]

    @property
    def dns_address(self) -> str:
        """Where the cluster's DNS answers: the tenth ClusterIP, as kubeadm has it."""
        return str(self.service_network()[10])

    def service_network(self) -> ipaddress.IPv4Network:
        """Return the ClusterIP block as a network."""
        return ipaddress.IPv4Network(self.service_cidr)

    def save(self) -> None:
        """Write `cluster.json` in the cluster's folder."""
        write_whole(self.path / "cluster.json", json.dumps(asdict(self), indent=2))

    @classmethod
    def load(cls, directory: Path) -> ClusterConfig:
        """Read `cluster.json`; `FileNotFoundError` where there is no cluster."""
        plain = json.loads((directory / "cluster.json").read_text())
        plain["kubelet_ports"] = tuple(plain["kubelet_ports"])
        return cls(**plain)
