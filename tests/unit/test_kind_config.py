"""kind: the configuration that is generated, and the words for what the command says."""

from __future__ import annotations

from itertools import count
from pathlib import Path

import pytest
import yaml

from k8s_helpers._errors import EngineError, ResourceError
from k8s_helpers.providers.kind import addons
from k8s_helpers.providers.kind import config as kind_config
from k8s_helpers.providers.kind import images as kind_images
from k8s_helpers.providers.kind import words as kind_words

PORTS = {30000: 30000, 30001: 41000}
INGRESS = {80: 8080, 443: 8443}


def patches(text: str) -> dict[str, dict[str, object]]:
    found = (yaml.safe_load(patch) for patch in yaml.safe_load(text)["kubeadmConfigPatches"])
    return {patch["kind"]: patch for patch in found}


def test_every_node_port_and_the_ingress_are_mapped_on_loopback_alone() -> None:
    text = kind_config.build(PORTS, INGRESS, image=None, cgroup_v1=False)
    mappings = yaml.safe_load(text)["nodes"][0]["extraPortMappings"]
    pairs = {item["containerPort"]: item["hostPort"] for item in mappings}
    assert pairs == {30000: 30000, 30001: 41000, **INGRESS}
    assert {item["listenAddress"] for item in mappings} == {"127.0.0.1"}


def test_the_api_server_gives_only_mapped_node_ports() -> None:
    text = kind_config.build(PORTS, INGRESS, image=None, cgroup_v1=False)
    arguments = patches(text)["ClusterConfiguration"]["apiServer"]
    assert arguments == {"extraArgs": {"service-node-port-range": "30000-30015"}}
    assert list(kind_config.NODE_PORTS) == list(range(30000, 30016))


def test_the_autoscaler_is_as_quick_as_in_the_embedded_cluster() -> None:
    text = kind_config.build(PORTS, INGRESS, image=None, cgroup_v1=False)
    manager = patches(text)["ClusterConfiguration"]["controllerManager"]
    assert manager == {
        "extraArgs": {
            "horizontal-pod-autoscaler-sync-period": "5s",
            "horizontal-pod-autoscaler-cpu-initialization-period": "10s",
            "horizontal-pod-autoscaler-initial-readiness-delay": "1s",
        }
    }


@pytest.mark.parametrize("old", [True, False])
def test_old_cgroups_are_allowed_only_where_the_machine_has_them(old: bool) -> None:
    found = patches(kind_config.build(PORTS, INGRESS, image=None, cgroup_v1=old))
    assert ("KubeletConfiguration" in found) == old
    if old:
        assert found["KubeletConfiguration"]["failCgroupV1"] is False


@pytest.mark.parametrize("image", [None, "kindest/node:v1.37.0"])
def test_the_image_is_left_to_kind_unless_one_is_named(image: str | None) -> None:
    plain = yaml.safe_load(kind_config.build(PORTS, INGRESS, image=image, cgroup_v1=False))
    assert plain["nodes"][0].get("image") == image


def test_a_port_that_is_taken_gets_another_one() -> None:
    others = count(40000)
    ports = kind_config.choose_ports(
        [30000, 30001, 30002], lambda port: port != 30001, lambda: next(others)
    )
    assert ports == {30000: 30000, 30001: 40000, 30002: 30002}


@pytest.mark.parametrize(
    ("line", "word"),
    [
        (" • Ensuring node image (kindest/node:v1.37.0) 🖼️  ...", "Image du nœud"),
        (" ✓ Starting control-plane 🕹️", "plan de contrôle"),
        ("Thanks for using kind! 😊", None),
    ],
)
def test_steps_are_french(line: str, word: str | None) -> None:
    said = kind_words.step(line)
    assert (said is None) == (word is None)
    if said is not None and word is not None:
        assert word in said[0]
        assert 0 <= said[1] <= 1


@pytest.mark.parametrize(
    ("output", "kind", "word"),
    [
        (
            "Error: Bind for 127.0.0.1:30003 failed: port is already allocated",
            ResourceError,
            "port",
        ),
        ("write /var/lib/x: no space left on device", ResourceError, "disque"),
        (
            'ERROR: failed to create cluster: failed to pull image "kindest/node"',
            EngineError,
            "téléchargée",
        ),
        ('node(s) already exist for a cluster with the name "cours"', EngineError, "existe déjà"),
        ("too many open files", ResourceError, "inotify"),
        ("something new", EngineError, "something new"),
    ],
)
def test_failures_are_explained(output: str, kind: type[Exception], word: str) -> None:
    error = kind_words.failure("cours", output)
    assert isinstance(error, kind)
    assert word in error.found
    assert error.advice


@pytest.mark.parametrize(
    ("line", "version"),
    [("kind v0.33.0 go1.26.8 linux/amd64", (0, 33)), ("kind v1.2.0-alpha+x go1.30 darwin/arm64", (1, 2)), ("?", None)],
)  # fmt: skip
def test_the_version_is_read(line: str, version: tuple[int, int] | None) -> None:
    assert kind_words.version(line) == version


def test_an_image_changes_with_all_that_it_is_made_of(tmp_path: Path) -> None:
    (tmp_path / "Containerfile").write_text("FROM scratch\n")
    file = tmp_path / "main.py"
    file.write_text("1")
    first = kind_images.content_hash(tmp_path, "a:v1", {"VERSION": "v1"})
    assert kind_images.content_hash(tmp_path, "a:v1", {"VERSION": "v1"}) == first
    others = {kind_images.content_hash(tmp_path, "a:v1", {"VERSION": "v2"})}
    file.write_text("2")
    others.add(kind_images.content_hash(tmp_path, "a:v1", {"VERSION": "v1"}))
    file.write_text("1")
    file.chmod(0o755)
    others.add(kind_images.content_hash(tmp_path, "a:v1", {"VERSION": "v1"}))
    (tmp_path / "__pycache__").mkdir()
    assert first not in others
    assert len(others) == 3


@pytest.mark.parametrize(
    ("tag", "full"),
    [
        ("vitrine:v2", "docker.io/library/vitrine:v2"),
        ("cours/vitrine:v2", "docker.io/cours/vitrine:v2"),
        ("registre.exemple.fr/vitrine:v2", "registre.exemple.fr/vitrine:v2"),
        ("localhost:5000/vitrine", "localhost:5000/vitrine"),
    ],
)
def test_short_names_are_those_of_the_kubelet(tag: str, full: str) -> None:
    assert kind_images.reference(tag) == full


def test_the_ingress_controller_listens_on_the_port_that_leads_to_this_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    manifest = Path(addons.__file__).with_name("manifests") / "traefik.yaml"
    objects = list(yaml.safe_load_all(manifest.read_text(encoding="utf-8")))
    (deployment,) = (one for one in objects if one["kind"] == "Deployment")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    ports = [(port["hostPort"], port["containerPort"]) for port in container["ports"]]
    assert ports == [(port, port) for port in kind_config.PREFERRED_PORTS]
    assert container["image"] == addons.INGRESS_IMAGE
    monkeypatch.delenv(addons.INGRESS_VARIABLE, raising=False)
    assert addons.ingress_image() in addons.bundled_images()
    monkeypatch.setenv(addons.INGRESS_VARIABLE, "ailleurs/traefik:v3")
    assert "ailleurs/traefik:v3" in addons.bundled_images()
