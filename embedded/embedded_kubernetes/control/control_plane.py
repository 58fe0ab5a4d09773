"""What each component of the control plane is started with: functions of the cluster's configuration and folder.

Every flag that differs from upstream's default says why.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ..config import NODE_PORTS, ClusterConfig

ENCRYPTION_FILE = "encryption.yaml"
"""Where it is in the cluster's folder, the API server encrypts by it what it writes into etcd."""

EGRESS_FILE = "egress.yaml"
"""In the cluster's folder: the way of the API server into the cluster, `egress_selector`."""

ETCD, API_SERVER = "etcd", "kube-apiserver"
CONTROLLER_MANAGER, SCHEDULER = "kube-controller-manager", "kube-scheduler"

# Go's collector runs more often than by default (100), each time that the heap has grown by that many per cent: a tenth
# more processor time, thirty megabytes less. There is no GOMEMLIMIT beside it: live objects grow with what a cluster is
# used for (kube-apiserver's from 80 MB to 175 MB with a hundred custom kinds), and a limit that they have come to makes
# the collector run without end.
_API_SERVER_HEAP = {"GOGC": "60"}
_SMALL_HEAP = {"GOGC": "40"}
AUTOSCALER_S = {
    "horizontal-pod-autoscaler-sync-period": 5,
    "horizontal-pod-autoscaler-cpu-initialization-period": 10,
    "horizontal-pod-autoscaler-initial-readiness-delay": 1,
}
"""The autoscaler's delays, in seconds: whoever learns waits for one in seconds, not in minutes (15, 300 and 30)."""
_LEFT_OUT = (
    "persistentvolume-attach-detach-controller",  # volumes here are folders: no driver attaches one
    "resourceclaim-controller",  # dynamic resource allocation: no node here has a device
    "device-taint-eviction-controller",  # and so none is tainted
    "validatingadmissionpolicy-status-controller",  # checks the types of policies; they apply without it
)
"""Controllers that would have nothing to do; each keeps copies of what it watches: 13 MB of 119 together."""
_NODE_ENV = {
    # glibc keeps less of what Python has freed (`man 3 mallopt`): 4 MB of 58 with 50 pods.
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_TRIM_THRESHOLD_": "131072",
    # The node only trusts the cluster's own authority, which it names. aiohttp reads all those of the machine as it is
    # imported: 1.7 MB, and an eighth of the import's time.
    "SSL_CERT_FILE": os.devnull,
}


@dataclass(frozen=True)
class ComponentSpec:
    """How a component of the cluster is started.

    Attributes
    ----------
    name : str
        "etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler" or a node's name.
    argv : tuple of str
        Program and arguments.
    env : mapping
        Added to the supervisor's environment.
    """

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)

    def log(self, config: ClusterConfig) -> Path:
        """Return the file that gets what it writes."""
        return config.path / "logs" / f"{self.name}.log"


def components(config: ClusterConfig) -> tuple[ComponentSpec, ...]:
    """Return the cluster's components."""
    return (
        etcd(config),
        api_server(config),
        controller_manager(config),
        scheduler(config),
        *(node(config, name) for name in config.node_names),
    )


def etcd(config: ClusterConfig) -> ComponentSpec:
    """Return etcd's command line: one member, unix sockets only, no fsync (a course's data, not a bank's)."""
    socket = config.runtime / "etcd.sock"
    peer = f"unix://{config.runtime / 'etcd-peer.sock'}"
    flags = (
        f"--name={config.name}",
        f"--data-dir={config.path / 'etcd'}",
        f"--listen-client-urls=unix://{socket}",
        f"--advertise-client-urls=unix://{socket}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster={config.name}={peer}",
        "--unsafe-no-fsync",
        "--snapshot-count=1000",  # fewer raft entries kept in memory
        "--log-level=warn",
    )
    return ComponentSpec(ETCD, (str(Path(config.binaries) / ETCD), *flags), _SMALL_HEAP)


def api_server(config: ClusterConfig) -> ComponentSpec:
    """Return kube-apiserver's command line."""
    pki = config.pki
    flags = (
        f"--etcd-servers=unix://{config.runtime / 'etcd.sock'}",
        "--bind-address=127.0.0.1",
        f"--advertise-address={config.advertised_address}",
        f"--secure-port={config.api_port}",
        # A loopback address would be refused as an endpoint.
        f"--endpoint-reconciler-type={'lease' if config.network == 'pods' else 'none'}",
        f"--service-cluster-ip-range={config.service_cidr}",
        f"--service-node-port-range={NODE_PORTS[0]}-{NODE_PORTS[-1]}",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        "--anonymous-auth=false",
        "--allow-privileged=true",
        "--profiling=false",
        f"--client-ca-file={pki / 'ca.crt'}",
        f"--tls-cert-file={pki / 'apiserver.crt'}",
        f"--tls-private-key-file={pki / 'apiserver.key'}",
        f"--kubelet-certificate-authority={pki / 'ca.crt'}",
        f"--kubelet-client-certificate={pki / 'apiserver-kubelet-client.crt'}",
        f"--kubelet-client-key={pki / 'apiserver-kubelet-client.key'}",
        # It consents to proxy to no loopback address: nodes on loopback show one of another kind beside theirs, which
        # the egress proxy leads to.
        f"--kubelet-preferred-address-types={'InternalIP' if config.network == 'pods' else 'InternalDNS'}",
        f"--egress-selector-config-file={config.path / EGRESS_FILE}",
        f"--requestheader-client-ca-file={pki / 'front-proxy-ca.crt'}",
        "--requestheader-allowed-names=front-proxy-client",
        "--requestheader-username-headers=X-Remote-User",
        "--requestheader-group-headers=X-Remote-Group",
        "--requestheader-extra-headers-prefix=X-Remote-Extra-",
        f"--proxy-client-cert-file={pki / 'front-proxy-client.crt'}",
        f"--proxy-client-key-file={pki / 'front-proxy-client.key'}",
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
        f"--service-account-key-file={pki / 'sa.pub'}",
        f"--service-account-signing-key-file={pki / 'sa.key'}",
    )
    encryption = config.path / ENCRYPTION_FILE
    encrypting = (f"--encryption-provider-config={encryption}",) if encryption.exists() else ()
    argv = (str(Path(config.binaries) / API_SERVER), *flags, *encrypting)
    return ComponentSpec(API_SERVER, argv, _API_SERVER_HEAP)


def egress_selector(config: ClusterConfig) -> str:
    """Return what tells the API server to connect into the cluster through `node.egress` (JSON, which is YAML too)."""
    connection = {
        "proxyProtocol": "HTTPConnect",
        "transport": {"uds": {"udsName": str(config.egress_socket)}},
    }
    return json.dumps(
        {
            "apiVersion": "apiserver.k8s.io/v1beta1",
            "kind": "EgressSelectorConfiguration",
            "egressSelections": [{"name": "cluster", "connection": connection}],
        },
        indent=2,
    )


def _client_flags(kubeconfig: Path) -> tuple[str, ...]:
    return (
        f"--kubeconfig={kubeconfig}",
        f"--authentication-kubeconfig={kubeconfig}",
        f"--authorization-kubeconfig={kubeconfig}",
        "--leader-elect=false",  # one of each: nothing to elect, and seconds saved
        "--secure-port=0",  # no port of their own
        "--profiling=false",
        "--kube-api-qps=300",  # halves the time of fifty Deployments
        "--kube-api-burst=500",
    )


def controller_manager(config: ClusterConfig) -> ComponentSpec:
    """Return kube-controller-manager's command line."""
    pki = config.pki
    flags = (
        *_client_flags(pki / "controller-manager.kubeconfig"),
        "--use-service-account-credentials=false",
        f"--service-account-private-key-file={pki / 'sa.key'}",
        f"--root-ca-file={pki / 'ca.crt'}",
        f"--cluster-signing-cert-file={pki / 'ca.crt'}",
        f"--cluster-signing-key-file={pki / 'ca.key'}",
        f"--cluster-name={config.name}",
        f"--controllers=*,{','.join(f'-{name}' for name in _LEFT_OUT)}",
        "--allocate-node-cidrs=false",
        f"--service-cluster-ip-range={config.service_cidr}",
        *(f"--{name}={seconds}s" for name, seconds in AUTOSCALER_S.items()),
        "--node-monitor-period=2s",
        "--node-monitor-grace-period=20s",
    )
    argv = (str(Path(config.binaries) / CONTROLLER_MANAGER), *flags)
    return ComponentSpec(CONTROLLER_MANAGER, argv, _SMALL_HEAP)


def scheduler(config: ClusterConfig) -> ComponentSpec:
    """Return kube-scheduler's command line."""
    argv = (
        str(Path(config.binaries) / SCHEDULER),
        *_client_flags(config.pki / "scheduler.kubeconfig"),
    )
    return ComponentSpec(SCHEDULER, argv, _SMALL_HEAP)


def node(config: ClusterConfig, name: str, added_port: int | None = None) -> ComponentSpec:
    """Return the command line of one node's agent, in this same Python.

    `added_port` is the port of a node that joins for a while, which the configuration does not know.
    """
    argv = (
        sys.executable,
        "-P",
        "-m",
        "embedded_kubernetes.node",
        "--config",
        config.directory,
        "--node",
        name,
    )
    added = () if added_port is None else ("--added-port", str(added_port))
    return ComponentSpec(name, (*argv, *added), _NODE_ENV)
