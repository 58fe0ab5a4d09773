import stat
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from embedded_kubernetes import paths, pki
from embedded_kubernetes.config import ClusterConfig


@pytest.fixture
def make_config(tmp_path: Path) -> Callable[..., ClusterConfig]:
    def make(*, slot: int = 3, nodes: int = 2, api_port: int = 20300) -> ClusterConfig:
        ports = tuple(range(20310, 20310 + nodes))
        folders = (str(tmp_path), str(tmp_path))
        return ClusterConfig(
            "cours", *folders, slot, "v1.37.0", "/bin", api_port, 20301, 20302, 20303, ports
        )

    return make


@pytest.fixture
def config(make_config: Callable[..., ClusterConfig]) -> ClusterConfig:
    made = make_config()
    pki.ensure(made)
    return made


def certificate(config: ClusterConfig, file: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate((config.pki / f"{file}.crt").read_bytes())


def names(subject: x509.Name, kind: x509.ObjectIdentifier) -> list[str | bytes]:
    return [attribute.value for attribute in subject.get_attributes_for_oid(kind)]


def test_every_certificate_is_signed_by_its_authority_and_fits_its_key(
    config: ClusterConfig,
) -> None:
    for identity in pki.identities(config):
        signed = certificate(config, identity.file)
        signed.verify_directly_issued_by(certificate(config, identity.authority))
        key = serialization.load_pem_private_key(
            (config.pki / f"{identity.file}.key").read_bytes(), None
        )
        assert signed.public_key() == key.public_key()


def test_the_two_authorities_are_two(config: ClusterConfig) -> None:
    with pytest.raises(ValueError, match=r"[Ii]ssuer"):
        certificate(config, "front-proxy-client").verify_directly_issued_by(
            certificate(config, "ca")
        )


def test_a_node_is_what_the_node_authorizer_expects(config: ClusterConfig) -> None:
    subject = certificate(config, "cours-node-2").subject
    assert names(subject, NameOID.COMMON_NAME) == ["system:node:cours-node-2"]
    assert names(subject, NameOID.ORGANIZATION_NAME) == ["system:nodes"]


@pytest.mark.parametrize(
    "file", ["admin", "controller-manager", "scheduler", "services", "apiserver-kubelet-client"]
)
def test_what_must_be_allowed_everything_is_in_the_masters_group(
    config: ClusterConfig, file: str
) -> None:
    assert names(certificate(config, file).subject, NameOID.ORGANIZATION_NAME) == ["system:masters"]


def test_the_api_server_serves_loopback_and_its_service_address(config: ClusterConfig) -> None:
    extension = certificate(config, "apiserver").extensions.get_extension_for_class(
        x509.SubjectAlternativeName
    )
    addresses = {str(address) for address in extension.value.get_values_for_type(x509.IPAddress)}
    assert addresses == {"127.0.0.1", "127.99.0.1"}
    assert "kubernetes.default.svc" in extension.value.get_values_for_type(x509.DNSName)


@pytest.mark.parametrize(
    ("file", "use"),
    [
        ("admin", ExtendedKeyUsageOID.CLIENT_AUTH),
        ("cours-node-1-serving", ExtendedKeyUsageOID.SERVER_AUTH),
    ],
)
def test_a_certificate_serves_one_purpose(
    config: ClusterConfig, file: str, use: x509.ObjectIdentifier
) -> None:
    extension = certificate(config, file).extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    assert list(extension.value) == [use]


def test_service_account_keys_are_a_pair(config: ClusterConfig) -> None:
    private = serialization.load_pem_private_key((config.pki / "sa.key").read_bytes(), None)
    public = serialization.load_pem_public_key((config.pki / "sa.pub").read_bytes())
    assert isinstance(private, ec.EllipticCurvePrivateKey)
    assert private.public_key() == public


def test_nothing_is_readable_by_others(config: ClusterConfig) -> None:
    files = [path for path in (*config.pki.iterdir(), config.kubeconfig) if path.is_file()]
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    assert stat.S_IMODE(config.pki.stat().st_mode) == 0o700


def test_kubeconfigs_name_the_server_and_hold_their_certificates(config: ClusterConfig) -> None:
    content = yaml.safe_load(config.kubeconfig.read_text())
    assert content["clusters"][0]["cluster"]["server"] == "https://127.0.0.1:20300"
    assert content["current-context"] == f"{paths.command()}-cours"
    assert set(content["users"][0]["user"]) == {"client-certificate-data", "client-key-data"}
    for file in ("controller-manager", "scheduler", "services", "cours-node-1", "cours-node-2"):
        assert (config.pki / f"{file}.kubeconfig").is_file()


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_second_time_changes_nothing(config: ClusterConfig) -> None:
    before = contents(config.pki)
    pki.ensure(config)
    assert contents(config.pki) == before


def test_new_nodes_get_their_certificates_and_the_rest_stays(
    config: ClusterConfig, make_config: Callable[..., ClusterConfig]
) -> None:
    before = contents(config.pki)
    pki.ensure(make_config(nodes=3))
    after = contents(config.pki)
    assert "cours-node-3.crt" in after
    assert all(after[name] == before[name] for name in before if name != "made.json")


def test_changed_names_change_the_certificate_alone(
    config: ClusterConfig, make_config: Callable[..., ClusterConfig]
) -> None:
    before = contents(config.pki)
    pki.ensure(make_config(slot=4))
    after = contents(config.pki)
    changed = {name for name in before if after[name] != before[name]}
    shown = [f"cours-node-{n}-serving{suffix}" for n in (1, 2) for suffix in (".crt", ".key")]
    assert changed == {"apiserver.crt", "apiserver.key", "made.json", *shown}


def test_a_new_port_only_changes_kubeconfigs(
    config: ClusterConfig, make_config: Callable[..., ClusterConfig]
) -> None:
    before = contents(config.pki)
    pki.ensure(make_config(api_port=20399))
    changed = {name for name, content in contents(config.pki).items() if before[name] != content}
    assert changed
    assert all(name.endswith(".kubeconfig") for name in changed)
    assert "20399" in config.kubeconfig.read_text()


@pytest.mark.parametrize("lost", ["ca.key", "sa.pub", "made.json"])
def test_a_set_with_a_hole_is_made_anew_as_a_whole(config: ClusterConfig, lost: str) -> None:
    before = contents(config.pki)
    (config.pki / lost).unlink()
    pki.ensure(config)
    after = contents(config.pki)
    assert after["ca.crt"] != before["ca.crt"]
    assert after["admin.crt"] != before["admin.crt"]
    certificate(config, "admin").verify_directly_issued_by(certificate(config, "ca"))


def test_a_set_about_to_expire_is_renewed(
    config: ClusterConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = contents(config.pki)
    later_s = config.pki.stat().st_mtime + (pki.VALIDITY_DAYS - 10) * 86400
    monkeypatch.setattr(time, "time", lambda: later_s)
    pki.ensure(config)
    assert contents(config.pki)["ca.crt"] != before["ca.crt"]
