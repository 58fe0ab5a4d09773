"""What keys and certificates one embedded cluster has, and its kubeconfigs: made once and kept.

The layout follows kubeadm's where it has one (kubernetes.io, "PKI certificates and requirements").
"""

from __future__ import annotations

import base64
import json
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

from .._files import write_whole
from .certificates import (
    CLUSTER_CA,
    FRONT_PROXY_CA,
    VALIDITY_DAYS,
    Authority,
    Identity,
    write_service_account_keys,
)
from .config import ClusterConfig

KUBELET_SERVING = "-serving"
"""After a node's name: what its kubelet API shows to those who connect."""

_RENEW_DAYS = 30
_MADE_FILE = "made.json"


def identities(config: ClusterConfig) -> tuple[Identity, ...]:
    """Return every certificate of a cluster, the two authorities apart.

    Parameters
    ----------
    config : ClusterConfig
        Its names and address blocks decide names and hosts.
    """
    masters = ("system:masters",)
    loopback = ("localhost", "127.0.0.1")
    first_service_ip = str(config.service_network()[1])
    kubernetes = ("kubernetes", "kubernetes.default", "kubernetes.default.svc")
    api_hosts = (*kubernetes, "kubernetes.default.svc.cluster.local", *loopback, first_service_ip)
    return (
        Identity("apiserver", "kube-apiserver", hosts=api_hosts),
        Identity("apiserver-kubelet-client", "kube-apiserver-kubelet-client", masters),
        Identity("front-proxy-client", "front-proxy-client", authority=FRONT_PROXY_CA),
        Identity("admin", "kubernetes-admin", masters),
        # RBAC identities would be refused, and back off for seconds, while RBAC bootstraps.
        Identity("controller-manager", "system:kube-controller-manager", masters),
        Identity("scheduler", "system:kube-scheduler", masters),
        Identity("services", "system:embedded-node-services", masters),
        # The API server asks an aggregated API by the name of its Service.
        Identity("metrics-serving", "metrics", hosts=("metrics-server.kube-system.svc", *loopback)),
        *(Identity(name, f"system:node:{name}", ("system:nodes",)) for name in config.node_names),
        *(
            Identity(
                f"{name}{KUBELET_SERVING}",
                f"system:node:{name}",
                ("system:nodes",),
                hosts=(*loopback, config.node_shown(name)),
            )
            for name in config.node_names
        ),
    )


def ensure(config: ClusterConfig) -> None:
    """Make what is missing in `config.pki`, and the kubeconfigs; keep what is there and still valid.

    A set that misses an authority, or expires within thirty days, is made anew as a whole; a certificate whose
    names have changed, alone.

    Parameters
    ----------
    config : ClusterConfig
        The cluster; its folder exists.
    """
    folder = config.pki
    folder.mkdir(mode=0o700, exist_ok=True)
    made = _made(folder)
    if made is None:
        Authority.create(folder, CLUSTER_CA, "kubernetes-ca")
        Authority.create(folder, FRONT_PROXY_CA, "front-proxy-ca")
        write_service_account_keys(folder)
        made = _Made(int(time.time()) + (VALIDITY_DAYS - _RENEW_DAYS) * 86400)
    wanted = {identity.file: identity for identity in identities(config)}
    missing = [
        one
        for file, one in wanted.items()
        if made.named.get(file) != repr(one) or not _present(folder, file)
    ]
    authorities = {
        name: Authority.load(folder, name) for name in {one.authority for one in missing}
    }
    for identity in missing:
        authorities[identity.authority].sign(folder, identity)
    if missing:
        made = _Made(
            made.renew_after_s, {file: repr(identity) for file, identity in wanted.items()}
        )
        write_whole(folder / _MADE_FILE, json.dumps(asdict(made)), private=True)
    _write_kubeconfigs(config)


def kubeconfig(server: str, ca: bytes, certificate: bytes, key: bytes, name: str) -> str:
    """Return a kubeconfig that holds its certificates, so that it can be copied alone.

    Parameters
    ----------
    server : str
        URL of the API server.
    ca, certificate, key : bytes
        PEM of the authority, and of the client's certificate and private key.
    name : str
        Name of the context, of the cluster and of the user.
    """
    authority, client, private = (base64.b64encode(pem).decode() for pem in (ca, certificate, key))
    return f"""apiVersion: v1
kind: Config
current-context: {name}
contexts:
- name: {name}
  context: {{cluster: {name}, user: {name}}}
clusters:
- name: {name}
  cluster:
    server: {server}
    certificate-authority-data: {authority}
users:
- name: {name}
  user:
    client-certificate-data: {client}
    client-key-data: {private}
"""


@dataclass(frozen=True)
class _Made:
    """What the set in a folder was made for, so that a start need not read the certificates."""

    renew_after_s: int
    named: dict[str, str] = field(default_factory=dict)


def _made(folder: Path) -> _Made | None:
    """Return what is said of the set in a folder; None where it cannot go on being used."""
    needed = [
        f"{name}{suffix}" for name in (CLUSTER_CA, FRONT_PROXY_CA) for suffix in (".crt", ".key")
    ]
    if not all((folder / file).is_file() for file in (*needed, "sa.key", "sa.pub")):
        return None
    try:
        made = _Made(**json.loads((folder / _MADE_FILE).read_text()))
    except (OSError, ValueError, TypeError):
        return None
    return made if time.time() < made.renew_after_s else None


def _present(folder: Path, file: str) -> bool:
    return (folder / f"{file}.crt").is_file() and (folder / f"{file}.key").is_file()


def _write_kubeconfigs(config: ClusterConfig) -> None:
    ca = (config.pki / "ca.crt").read_bytes()
    targets = {"admin": config.kubeconfig}
    for file in ("controller-manager", "scheduler", "services", *config.node_names):
        targets[file] = config.pki / f"{file}.kubeconfig"
    for file, target in targets.items():
        certificate, key = (
            (config.pki / f"{file}{suffix}").read_bytes() for suffix in (".crt", ".key")
        )
        name = f"k8s-lab-{config.name}" if file == "admin" else file
        content = kubeconfig(config.server, ca, certificate, key, name).encode()
        if not target.is_file() or target.read_bytes() != content:
            write_whole(target, content, private=True)
