"""Makes private keys and signs certificates.

Keys are ECDSA P-256: a whole set takes milliseconds where RSA takes seconds. `cryptography` is imported where it is
used, as a start that finds its certificates made needs none of it.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from .._files import write_whole

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec

VALIDITY_DAYS = 3 * 365
"""Longer than any course."""

CLUSTER_CA, FRONT_PROXY_CA = "ca", "front-proxy-ca"


@dataclass(frozen=True)
class Identity:
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

    def sign(self, folder: Path, identity: Identity) -> None:
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
