import base64
import contextlib
import os
import stat
import time

import pytest

from embedded_kubernetes.node.api import ApiError
from embedded_kubernetes.node.cri import ImageConfig, Mount
from embedded_kubernetes.node.environment.env import ConfigError
from embedded_kubernetes.node.storage.atomic_writer import File, write
from embedded_kubernetes.node.storage.payloads import (
    MountError,
    PayloadSources,
    payload,
    references,
)
from embedded_kubernetes.node.storage.pod_certificates import Credential, NotIssuedError
from embedded_kubernetes.node.storage.tokens import Token
from embedded_kubernetes.node.storage.volumes import PodVolumes, host_path

POD = {
    "metadata": {"name": "web", "namespace": "shop", "uid": "u", "labels": {"app": "web"}},
    "spec": {"containers": [{"name": "main", "resources": {"limits": {"memory": "2Mi"}}}]},
}
CONFIG = {
    "data": {"a": "A", "b": "B"},
    "binaryData": {"raw": base64.b64encode(b"\xff\x00").decode()},
}
SECRET = {"data": {"k": base64.b64encode(b"pw").decode()}}
OBJECTS = {("configmaps", "config"): CONFIG, ("secrets", "keys"): SECRET}


def sources(pod=POD, refused=False):
    async def get(resource, name):
        return OBJECTS.get((resource, name))

    async def token(audience, life_s):
        if refused:
            raise ApiError(403, "Forbidden", "no")
        return Token(f"token for {audience or 'the API'}", 5000.0 + life_s)

    async def trust(source):
        return "certificates" if source.get("name") == "there" else None

    async def certificate(volume, index, source):
        if source["signerName"] == "slow":
            raise NotIssuedError("credential bundle is not issued yet")
        return Credential(f"key {volume} {index}\n", "chain\n", 4000.0)

    return PayloadSources(
        pod,
        "127.244.0.5",
        "127.0.0.1",
        {"cpu": "1", "memory": "1Gi"},
        get,
        token,
        trust,
        certificate,
    )


# Files that are replaced at once


def shown(folder):
    return {
        path.name: path.read_text() for path in folder.iterdir() if not path.name.startswith("..")
    }


def test_files_are_links_through_one_that_changes(tmp_path):
    folder = tmp_path / "volume"
    assert write(folder, {"a": File(b"1", 0o644), "b": File(b"2", 0o600)})
    assert shown(folder) == {"a": "1", "b": "2"}
    assert str((folder / "a").readlink()) == "..data/a"
    assert stat.S_IMODE((folder / "b").stat().st_mode) == 0o600
    before = (folder / "..data").readlink()
    assert not write(folder, {"a": File(b"1", 0o644), "b": File(b"2", 0o600)})
    assert (folder / "..data").readlink() == before
    assert write(folder, {"a": File(b"3", 0o644), "c": File(b"4", 0o644)})
    assert shown(folder) == {"a": "3", "c": "4"}
    assert not (folder / before).exists()


def test_files_may_lie_in_folders(tmp_path):
    write(tmp_path, {"deep/er/a": File(b"1", 0o644)})
    assert (tmp_path / "deep" / "er" / "a").read_text() == "1"
    assert str((tmp_path / "deep").readlink()) == "..data/deep"
    write(tmp_path, {})
    assert shown(tmp_path) == {}


# Content


async def files_of(volume, **more):
    made = await payload(volume, sources(**more))
    return {path: (file.content, file.mode) for path, file in made.files.items()}


async def test_config_maps_secrets_and_their_modes():
    assert await files_of({"configMap": {"name": "config"}}) == {
        "a": (b"A", 0o644),
        "b": (b"B", 0o644),
        "raw": (b"\xff\x00", 0o644),
    }
    items = [{"key": "k", "path": "in/here", "mode": 0o400}]
    volume = {"secret": {"secretName": "keys", "defaultMode": 0o440, "items": items}}
    assert await files_of(volume) == {"in/here": (b"pw", 0o400)}


@pytest.mark.parametrize(
    ("volume", "words"),
    [
        ({"configMap": {"name": "none"}}, 'configmap "none" not found'),
        ({"secret": {"secretName": "none"}}, 'secret "none" not found'),
        (
            {"configMap": {"name": "config", "items": [{"key": "z", "path": "z"}]}},
            "configmap references non-existent config key: z",
        ),
        (
            {"secret": {"secretName": "keys", "items": [{"key": "z", "path": "z"}]}},
            "references non-existent secret key: z",
        ),
        (
            {"downwardAPI": {"items": [{"path": "x", "fieldRef": {"fieldPath": "spec.x"}}]}},
            "unsupported fieldPath",
        ),
    ],
)
async def test_what_is_missing_is_named(volume, words):
    with pytest.raises(MountError, match=words):
        await payload(volume, sources())


async def test_what_is_optional_may_be_missing():
    assert await files_of({"configMap": {"name": "none", "optional": True}}) == {}
    items = [{"key": "z", "path": "z"}, {"key": "a", "path": "a"}]
    volume = {"configMap": {"name": "config", "optional": True, "items": items}}
    assert list(await files_of(volume)) == ["a"]


PROJECTED = {
    "name": "all",
    "projected": {
        "defaultMode": 0o400,
        "sources": [
            {"configMap": {"name": "config", "items": [{"key": "a", "path": "a"}]}},
            {"secret": {"name": "keys"}},
            {
                "downwardAPI": {
                    "items": [
                        {"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}},
                        {
                            "path": "memory",
                            "resourceFieldRef": {
                                "containerName": "main",
                                "resource": "limits.memory",
                                "divisor": "1Mi",
                            },
                        },
                    ]
                }
            },
            {"serviceAccountToken": {"path": "token", "expirationSeconds": 600}},
            {"serviceAccountToken": {"path": "shop", "audience": "shop"}},
        ],
    },
}


async def test_a_projected_volume_joins_its_sources():
    assert await files_of(PROJECTED) == {
        "a": (b"A", 0o400),
        "k": (b"pw", 0o400),
        "labels": (b'app="web"', 0o400),
        "memory": (b"2", 0o400),
        "token": (b"token for the API", 0o400),
        "shop": (b"token for shop", 0o400),
    }
    assert (await payload(PROJECTED, sources())).renew_wall_s == 5600.0
    assert references(PROJECTED) == {("configmaps", "config"), ("secrets", "keys")}


async def test_a_refused_token_is_told():
    with pytest.raises(MountError, match="failed to fetch token: no"):
        await payload(PROJECTED, sources(refused=True))


# Host paths


@pytest.mark.parametrize(
    ("kind", "word"),
    [("Directory", "directory"), ("Socket", "socket file"), ("CharDevice", "character device")],
)
def test_a_host_path_of_another_type_is_refused(tmp_path, kind, word):
    path = tmp_path / "file"
    path.touch()
    with pytest.raises(MountError, match=f"hostPath type check failed: {path} is not a {word}"):
        host_path(path, kind)


def test_host_paths_are_made_where_their_type_says_so(tmp_path):
    assert host_path(tmp_path / "a" / "b", "DirectoryOrCreate").is_dir()
    assert host_path(tmp_path / "file", "FileOrCreate").is_file()
    assert host_path(tmp_path / "file", "File").is_file()
    assert host_path(tmp_path / "any", "").is_dir()
    with pytest.raises(MountError, match="is not a file"):
        host_path(tmp_path / "none", "File")


def test_a_file_that_is_there_is_not_touched(tmp_path):
    file = tmp_path / "hosts"
    file.write_text("127.0.0.1 localhost")
    os.utime(file, (1, 1))
    assert host_path(file, "FileOrCreate") == file
    assert file.stat().st_mtime == 1


# Volumes of a pod


class NoImages:
    def image(self, reference):
        return None


def volumes_of(tmp_path, *volumes, runtime=None):
    pod = {**POD, "spec": {**POD["spec"], "volumes": list(volumes)}}
    return PodVolumes(tmp_path / "volumes", sources(pod), None, runtime or NoImages())


async def test_mounts_and_sub_paths(tmp_path):
    made = volumes_of(
        tmp_path,
        {"name": "work", "emptyDir": {}},
        {"name": "config", "configMap": {"name": "config"}},
    )
    await made.set_up()
    container = {
        "volumeMounts": [
            {"name": "work", "mountPath": "/work"},
            {"name": "work", "mountPath": "/mine", "subPathExpr": "$(WHO)/x", "readOnly": True},
            {"name": "config", "mountPath": "/etc/a", "subPath": "a"},
        ]
    }
    work, mine, file = made.mounts(container, {"WHO": "me"})
    folder = tmp_path / "volumes"
    assert work == Mount(folder / "work", "/work", False)
    assert mine == Mount(folder / "work" / "me" / "x", "/mine", True)
    assert mine.host_path.is_dir()
    assert file.host_path.read_text() == "A"
    assert file.host_path.resolve() == file.host_path
    assert file.read_only
    await made.remove()
    assert not folder.exists()


@pytest.mark.parametrize("path", ["../out", "link/out"])
async def test_a_sub_path_does_not_lead_outside(tmp_path, path):
    made = volumes_of(tmp_path, {"name": "work", "emptyDir": {}})
    await made.set_up()
    (tmp_path / "volumes" / "work" / "link").symlink_to(tmp_path)
    mount = {"name": "work", "mountPath": "/x", "subPath": path}
    with pytest.raises(ConfigError, match="failed to prepare subPath"):
        made.mounts({"volumeMounts": [mount]}, {})


class Layered(NoImages):
    """A runtime that joins layers."""

    def __init__(self):
        self.joined = {}
        self.used = []

    @contextlib.contextmanager
    def use_layers(self, layers):
        self.used.extend(layers)
        yield
        for layer in layers:
            self.used.remove(layer)

    async def join_layers(self, folder, layers):
        self.joined[folder] = layers
        (folder / "etc").mkdir()

    def mounted(self, folder):
        return folder

    async def unmount(self, folder):
        del self.joined[folder]


@pytest.mark.parametrize("count", [1, 2])
async def test_an_image_volume_is_the_images_files_whatever_its_layers(tmp_path, count):
    layers = tuple(tmp_path / f"layer-{number}" for number in range(count))
    for layer in layers:
        (layer / "etc").mkdir(parents=True)
    asked = []

    async def pull(reference, policy):
        asked.append((reference, policy))
        return ImageConfig(reference, "sha256:0", layers, host_programs=False)

    source = {"reference": "kitten:1", "pullPolicy": "Always"}
    runtime = Layered()
    made = volumes_of(tmp_path, {"name": "files", "image": source}, runtime=runtime)
    await made.set_up()
    container = {"volumeMounts": [{"name": "files", "mountPath": "/files"}]}
    for _ in range(2):
        await made.lay_images(container, pull)
    assert asked == [("kitten:1", "Always")]
    assert runtime.used == list(layers)
    (whole,) = made.mounts(container, {})
    place = layers[0] if count == 1 else tmp_path / "volumes" / "files"
    assert whole == Mount(place, "/files", True)
    container["volumeMounts"][0]["subPath"] = "etc"
    assert made.mounts(container, {})[0].host_path == place / "etc"
    container["volumeMounts"][0]["subPath"] = "nothing"
    with pytest.raises(ConfigError, match='subpath "nothing" not found in image volume'):
        made.mounts(container, {})
    await made.remove()
    assert runtime.joined == {} and runtime.used == []


@pytest.mark.parametrize("env", [{}, {"A": ""}])
async def test_a_sub_path_needs_every_variable_of_its_expression(tmp_path, env):
    made = volumes_of(tmp_path, {"name": "work", "emptyDir": {}})
    await made.set_up()
    mount = {"name": "work", "mountPath": "/x", "subPathExpr": "$(B)/$(A)"}
    with pytest.raises(ConfigError, match="missing value for A"):
        made.mounts({"volumeMounts": [mount]}, {"B": "b", **env})


async def test_a_sub_path_that_is_made_has_its_volumes_mode_and_is_never_absolute(tmp_path):
    made = volumes_of(tmp_path, {"name": "work", "emptyDir": {}})
    await made.set_up()
    mount = {"name": "work", "mountPath": "/x", "subPath": "a"}
    (place,) = made.mounts({"volumeMounts": [mount]}, {})
    assert stat.S_IMODE(place.host_path.stat().st_mode) == 0o777
    mount["subPathExpr"] = "$(A)"
    with pytest.raises(ConfigError, match="`/tmp` must not be an absolute path"):
        made.mounts({"volumeMounts": [mount]}, {"A": "/tmp"})


async def test_a_volume_that_cannot_be_made_is_named_and_made_later(tmp_path):
    made = volumes_of(tmp_path, {"name": "late", "configMap": {"name": "later"}})
    words = 'MountVolume.SetUp failed for volume "late" : configmap "later" not found'
    with pytest.raises(MountError, match=words):
        await made.set_up()
    OBJECTS["configmaps", "later"] = {"data": {"x": "1"}}
    try:
        await made.set_up()
        assert (tmp_path / "volumes" / "late" / "x").read_text() == "1"
        OBJECTS["configmaps", "later"] = {"data": {"x": "2"}}
        await made.refresh()
        assert (tmp_path / "volumes" / "late" / "x").read_text() == "2"
    finally:
        del OBJECTS["configmaps", "later"]


async def test_kinds_of_volumes_that_this_node_has_not_are_told(tmp_path):
    made = volumes_of(tmp_path, {"name": "far", "nfs": {"server": "x", "path": "/"}})
    with pytest.raises(MountError, match="volumes of type nfs are not available on this node"):
        await made.set_up()


async def test_the_time_of_the_next_renewal_is_that_of_the_first_token(tmp_path):
    made = volumes_of(tmp_path, {"name": "all", **PROJECTED})
    assert made.renew_wall_s is None
    await made.set_up()
    assert made.renew_wall_s == 5600.0
    assert made.renew_wall_s < time.time()


# Certificates


async def test_a_certificate_is_files_of_the_names_that_are_asked_for():
    source = {"signerName": "a/b", "credentialBundlePath": "both", "keyPath": "key"}
    volume = {"name": "tls", "projected": {"sources": [{"podCertificate": source}]}}
    made = await payload(volume, sources())
    assert {name: file.content for name, file in made.files.items()} == {
        "both": b"key tls 0\nchain\n",
        "key": b"key tls 0\n",
    }
    assert made.renew_wall_s == 4000.0
    source["signerName"] = "slow"
    with pytest.raises(MountError, match="not issued yet"):
        await payload(volume, sources())


async def test_trust_anchors_are_files_and_may_be_missing():
    def volume(**source):
        one = {"clusterTrustBundle": {"path": "ca.pem", **source}}
        return {"name": "v", "projected": {"sources": [one]}}

    found = await payload(volume(name="there"), sources())
    assert found.files == {"ca.pem": File(b"certificates", 0o644)}
    empty = await payload(volume(name="none", optional=True), sources())
    assert empty.files == {"ca.pem": File(b"", 0o644)}
    with pytest.raises(MountError, match='clustertrustbundle "none" not found'):
        await payload(volume(name="none"), sources())
