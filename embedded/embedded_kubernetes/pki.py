"""The keys and certificates of a cluster, and its kubeconfigs: made once and kept.

Keys are ECDSA P-256: a whole set takes milliseconds where RSA takes seconds. `cryptography` is imported where it is
used, as a start that finds its certificates made needs none of it.

The layout follows kubeadm's where it has one (kubernetes.io, "PKI certificates and requirements").
"""

from __future__ import annotations

import base64
import ipaddress
import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from . import paths
from .config import ClusterConfig
from .files import write_whole

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec

INGRESS_DEFAULT = "ingress-default"
"""What the ingress controller shows where no Secret has a certificate for the name."""

KUBELET_SERVING = "-serving"
"""After a node's name: what its kubelet API shows to those who connect."""

_RENEW_DAYS = 30
_MADE_FILE = "made.json"

VALIDITY_DAYS = 3 * 365
"""Longer than any course."""

CLUSTER_CA, FRONT_PROXY_CA = "ca", "front-proxy-ca"


@dataclass(frozen=True)
class CertificateIdentity:
    """One certificate to be signed.

    Attributes
    ----------
    file : str
        Name of its files in `pki/`, without suffix.
    common_name : str
        The user name that Kubernetes sees (client) or the server's own name.
    organizations : tuple of str
        The groups that Kubernetes sees.
    hosts : tuple of str
        DNS names and addresses it serves; empty for a client.
    authority : str
        File name of the CA that signs it.
    """

    file: str
    common_name: str
    organizations: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    authority: str = CLUSTER_CA


@dataclass(frozen=True)
class Authority:
    """A certificate authority with its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @classmethod
    def create(cls, folder: Path, file: str, common_name: str) -> Authority:
        """Make an authority and write its two files."""
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes, serialization

        key = _new_key()
        subject = _name(common_name)
        certificate = (
            _builder(subject, key)
            .issuer_name(subject)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(_key_usage(signs_certificates=True), critical=True)
            .add_extension(
                x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False
            )
            .sign(key, hashes.SHA256())
        )
        write_whole(folder / f"{file}.key", _private_pem(key), private=True)
        write_whole(
            folder / f"{file}.crt",
            certificate.public_bytes(serialization.Encoding.PEM),
            private=True,
        )
        return cls(certificate, key)

    @classmethod
    def load(cls, folder: Path, file: str) -> Authority:
        """Read an authority that `create` wrote."""
        from cryptography import x509
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import ec

        key = serialization.load_pem_private_key((folder / f"{file}.key").read_bytes(), None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise ValueError(f"{file}.key is not an elliptic curve key")
        return cls(x509.load_pem_x509_certificate((folder / f"{file}.crt").read_bytes()), key)

    def sign(self, folder: Path, identity: CertificateIdentity) -> None:
        """Make a key and a certificate for an identity and write their files."""
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.x509.oid import ExtendedKeyUsageOID

        key = _new_key()
        use = ExtendedKeyUsageOID.SERVER_AUTH if identity.hosts else ExtendedKeyUsageOID.CLIENT_AUTH
        builder = (
            _builder(_name(identity.common_name, identity.organizations), key)
            .issuer_name(self.certificate.subject)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([use]), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()),
                critical=False,
            )
        )
        if identity.hosts:
            builder = builder.add_extension(_alternative_names(identity.hosts), critical=False)
        certificate = builder.sign(self.key, hashes.SHA256())
        write_whole(folder / f"{identity.file}.key", _private_pem(key), private=True)
        write_whole(
            folder / f"{identity.file}.crt",
            certificate.public_bytes(serialization.Encoding.PEM),
            private=True,
        )


def write_service_account_keys(folder: Path) -> None:
    """Make the pair of keys that sign ServiceAccounts' tokens."""
    from cryptography.hazmat.primitives import serialization

    key = _new_key()
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    write_whole(folder / "sa.key", _private_pem(key), private=True)
    write_whole(folder / "sa.pub", public, private=True)


def _new_key() -> ec.EllipticCurvePrivateKey:
    from cryptography.hazmat.primitives.asymmetric import ec

    return ec.generate_private_key(ec.SECP256R1())


def _private_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    from cryptography.hazmat.primitives import serialization

    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _name(common_name: str, organizations: Sequence[str] = ()) -> x509.Name:
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    parts = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in organizations]
    return x509.Name([*parts, x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _builder(subject: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    from cryptography import x509

    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))  # a clock that is set back a little
        .not_valid_after(now + timedelta(days=VALIDITY_DAYS))
    )


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    from cryptography import x509

    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _alternative_names(hosts: Sequence[str]) -> x509.SubjectAlternativeName:
    from cryptography import x509

    names: list[x509.GeneralName] = []
    for host in hosts:
        try:
            names.append(x509.IPAddress(ipaddress.ip_address(host)))
        except ValueError:
            names.append(x509.DNSName(host))
    return x509.SubjectAlternativeName(names)


def identities(config: ClusterConfig) -> tuple[CertificateIdentity, ...]:
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
    addresses = dict.fromkeys((*loopback, first_service_ip, config.advertised_address))
    api_hosts = (*kubernetes, "kubernetes.default.svc.cluster.local", *addresses)
    return (
        CertificateIdentity("apiserver", "kube-apiserver", hosts=api_hosts),
        CertificateIdentity("apiserver-kubelet-client", "kube-apiserver-kubelet-client", masters),
        CertificateIdentity("front-proxy-client", "front-proxy-client", authority=FRONT_PROXY_CA),
        CertificateIdentity("admin", "kubernetes-admin", masters),
        # RBAC identities would be refused, and back off for seconds, while RBAC bootstraps.
        CertificateIdentity("controller-manager", "system:kube-controller-manager", masters),
        CertificateIdentity("scheduler", "system:kube-scheduler", masters),
        CertificateIdentity("services", "system:embedded-node-services", masters),
        # The API server asks an aggregated API by the name of its Service.
        CertificateIdentity(
            "metrics-serving", "metrics", hosts=("metrics-server.kube-system.svc", *loopback)
        ),
        # Shown to clients whose name no Secret covers; no client trusts it.
        CertificateIdentity(
            INGRESS_DEFAULT, "EMBEDDED DEFAULT CERT", hosts=("default.ingress.invalid",)
        ),
        *(
            CertificateIdentity(name, f"system:node:{name}", ("system:nodes",))
            for name in config.node_names
        ),
        *(
            CertificateIdentity(
                f"{name}{KUBELET_SERVING}",
                f"system:node:{name}",
                ("system:nodes",),
                hosts=(*loopback, config.node_shown(name)),
            )
            for name in config.node_names
        ),
    )


def load_library() -> None:
    """Import what makes keys and certificates: it takes as long as making them."""
    import cryptography.x509  # noqa: F401
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: F401


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
        certificate
        for file, certificate in wanted.items()
        if made.named.get(file) != repr(certificate) or not _present(folder, file)
    ]
    authorities = {
        name: Authority.load(folder, name)
        for name in {certificate.authority for certificate in missing}
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
        name = f"{paths.command()}-{config.name}" if file == "admin" else file
        content = kubeconfig(config.server, ca, certificate, key, name).encode()
        if not target.is_file() or target.read_bytes() != content:
            write_whole(target, content, private=True)
