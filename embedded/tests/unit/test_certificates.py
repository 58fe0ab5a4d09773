"""Certificates of Secrets, chosen by the name that a client asks for."""

import base64
import ssl
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from embedded_kubernetes.node.ingress.certificates import (
    Certificates,
    ServedCertificate,
    choose,
    from_secret,
)


def pems(*names, common="c"):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
    )
    if names:
        alternatives = x509.SubjectAlternativeName([x509.DNSName(one) for one in names])
        builder = builder.add_extension(alternatives, critical=False)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    public = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    return public, private


def secret(certificate, key, version="1"):
    data = {"tls.crt": certificate, "tls.key": key}
    encoded = {name: base64.b64encode(value).decode() for name, value in data.items()}
    return {"metadata": {"resourceVersion": version}, "data": encoded}


def test_names_are_those_of_the_certificate():
    assert from_secret(secret(*pems("Shop.example", "*.b.example"))).names == (
        "shop.example",
        "*.b.example",
    )
    assert from_secret(secret(*pems(common="old.example"))).names == ("old.example",)


def test_a_certificate_without_its_key_is_said():
    certificate, _ = pems("a.example")
    _, other = pems("a.example")
    for broken in (
        secret(certificate, other),
        secret(b"text", other),
        {"metadata": {"resourceVersion": "1"}, "data": {"tls.crt": ""}},
    ):
        with pytest.raises(ValueError, match=r"."):
            from_secret(broken)


def test_a_name_of_its_own_wins_over_a_wildcard():
    def served(*names):
        return ServedCertificate(names, ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))

    wild, own = served("*.example"), served("shop.example")
    assert choose([wild, own], "SHOP.example") is own.context
    assert choose([wild, own], "blog.example") is wild.context
    assert choose([wild, own], "a.blog.example") is None
    assert choose([wild, own], None) is None


def test_a_secret_that_changes_is_read_again():
    key = ("ns", "certificate")
    secrets = {key: secret(*pems("a.example"))}
    certificates = Certificates(secrets)
    first = certificates.choose([key], "a.example")
    assert first is not None
    assert certificates.choose([key], "a.example") is first
    secrets[key] = secret(*pems("b.example"), version="2")
    assert certificates.choose([key], "a.example") is None
    assert certificates.choose([key], "b.example") is not None
    secrets[key] = secret(b"text", b"text", version="3")
    assert isinstance(certificates.get(key), str)
    del secrets[key]
    assert certificates.get(key) == "secret not found"
