"""Certificates of Secrets, chosen by the name that a client asks for when it greets (SNI).

As Traefik does, the names that count are those in the certificate, whatever `spec.tls.hosts` says; a client that none
of them fits gets a certificate that nobody trusts.
"""

from __future__ import annotations

import base64
import binascii
import os
import ssl
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..api import Key
from .ingress_rules import host_matches

TLS_SECRETS: Mapping[str, str] = {"fieldSelector": "type=kubernetes.io/tls"}


@dataclass(frozen=True)
class ServedCertificate:
    """One certificate with its key, ready to be shown.

    Attributes
    ----------
    names : tuple of str
        Its DNS names, in lower case; `*.` in front for one label of any name.
    context : SSLContext
        Shows it.
    """

    names: tuple[str, ...]
    context: ssl.SSLContext


def from_secret(secret: Mapping[str, Any]) -> ServedCertificate:
    """Return the certificate of a Secret.

    Raises
    ------
    ValueError
        A key is missing, is no PEM, or certificate and private key do not belong together.
    """
    data = secret.get("data") or {}
    try:
        certificate, key = (base64.b64decode(data[name]) for name in ("tls.crt", "tls.key"))
        return ServedCertificate(_names(certificate), _context(certificate, key))
    except KeyError as error:
        raise ValueError(f"key {error} is missing") from None
    except (binascii.Error, ssl.SSLError) as error:
        raise ValueError(str(error)) from None


def from_files(folder: Path, name: str) -> ssl.SSLContext:
    """Return what shows a certificate of the cluster's own."""
    context = _empty_context()
    context.load_cert_chain(folder / f"{name}.crt", folder / f"{name}.key")
    return context


def choose(served: Iterable[ServedCertificate], name: str | None) -> ssl.SSLContext | None:
    """Return what shows the certificate for a name: its own rather than a wildcard; None where none covers it."""
    if not name:
        return None
    covering = [
        (pattern.startswith("*."), certificate.context)
        for certificate in served
        for pattern in certificate.names
        if host_matches(pattern, name)
    ]
    return min(covering, key=lambda found: found[0])[1] if covering else None


def _empty_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    return context


def _context(certificate: bytes, key: bytes) -> ssl.SSLContext:
    """`ssl` reads keys from files alone: a file in memory, which has no name on the disk."""
    context = _empty_context()
    descriptor = os.memfd_create("certificate")
    try:
        os.write(descriptor, certificate.rstrip() + b"\n" + key)
        context.load_cert_chain(f"/proc/self/fd/{descriptor}")
    finally:
        os.close(descriptor)
    return context


def _names(certificate: bytes) -> tuple[str, ...]:
    """Return the DNS names of the first certificate, or its common name where it has none."""
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    read = x509.load_pem_x509_certificate(certificate)
    try:
        extension = read.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        names = extension.value.get_values_for_type(x509.DNSName)
    except x509.ExtensionNotFound:
        common = read.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        names = [str(attribute.value) for attribute in common]
    return tuple(name.lower() for name in names)


class Certificates:
    """The certificates of all Secrets of type `kubernetes.io/tls`, made ready when first wanted.

    Parameters
    ----------
    secrets : mapping
        The Secrets, kept current by their owner.
    """

    def __init__(self, secrets: Mapping[Key, Mapping[str, Any]]) -> None:
        self._secrets = secrets
        self._made: dict[Key, tuple[str, ServedCertificate | str]] = {}

    def get(self, key: Key) -> ServedCertificate | str:
        """Return the certificate of a Secret, or why it has none."""
        secret = self._secrets.get(key)
        if secret is None:
            self._made.pop(key, None)
            return "secret not found"
        version = secret["metadata"]["resourceVersion"]
        known = self._made.get(key)
        if known is None or known[0] != version:
            try:
                known = (version, from_secret(secret))
            except ValueError as error:
                known = (version, str(error))
            self._made[key] = known
        return known[1]

    def choose(self, wanted: Iterable[Key], name: str | None) -> ssl.SSLContext | None:
        """Return what shows the certificate for a name, among the Secrets that some rule names."""
        found = (self.get(key) for key in wanted)
        return choose((one for one in found if isinstance(one, ServedCertificate)), name)
