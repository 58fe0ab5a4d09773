"""Images built without running anything, given to a registry on loopback: what it has then, and how it refuses."""

import asyncio
import base64
import io
import json
import os
import tarfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from image_files import Image, digest, entry, image, index, tar
from registry_server import RegistryServer, serving

from embedded_kubernetes.errors import ImageError
from embedded_kubernetes.node.images import publishing
from embedded_kubernetes.node.images.content import docker_config, endpoints, oci, uploading
from embedded_kubernetes.node.images.content.content_store import ContentStore, Ownership
from embedded_kubernetes.node.images.content.pulling import pull
from embedded_kubernetes.node.images.content.references import parse
from embedded_kubernetes.node.images.content.registry import session
from embedded_kubernetes.node.images.publishing import PublishedImage, Recipe
from embedded_kubernetes.progress import Silent

LAYER = tar(entry("usr/bin/python3", os.urandom(100_000), mode=0o755))
PYTHON = {
    architecture: image(
        LAYER,
        tar(entry("etc/machine", architecture.encode())),
        architecture=architecture,
        Env=["PATH=/usr/bin", "LANG=C.UTF-8"],
        Cmd=["python3"],
    )
    for architecture in ("amd64", "arm64")
}
CONTAINERFILE = """
ARG BASE_IMAGE=python:3
FROM ${BASE_IMAGE}
ARG VERSION=v1
ENV VERSION=${VERSION}
RUN mkdir -p /data
WORKDIR /app
COPY src/ /app/
EXPOSE 8080
USER 1000
ENTRYPOINT ["python3", "/app/main.py"]
"""


def serve_base(server: RegistryServer, name: str = "python") -> None:
    for made in PYTHON.values():
        server.add(f"{name}:only-{json.loads(made.config)['architecture']}", made)
    platforms = [
        (made.manifest, {"os": "linux", "architecture": architecture})
        for architecture, made in PYTHON.items()
    ]
    platforms.append((b"attested", {"os": "unknown", "architecture": "unknown"}))
    server.add_manifest(f"{name}:3", index(*platforms), oci.OCI_INDEX)


@pytest.fixture
def context(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    (folder / "src" / "__pycache__").mkdir(parents=True)
    (folder / "Containerfile").write_text(CONTAINERFILE)
    (folder / "src" / "main.py").write_text("print('hello')")
    (folder / "src" / "tool").write_text("#!/bin/sh")
    (folder / "src" / "tool").chmod(0o755)
    (folder / "src" / "__pycache__" / "main.pyc").write_text("never")
    return folder


@pytest.fixture
async def hub() -> AsyncIterator[RegistryServer]:
    async with serving() as made:
        serve_base(made)
        yield made


@pytest.fixture
async def target() -> AsyncIterator[RegistryServer]:
    async with serving(RegistryServer(scoped=True)) as made:
        yield made


@pytest.fixture(autouse=True)
def nobody_logged_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    monkeypatch.delenv("REGISTRY_AUTH_FILE", raising=False)
    monkeypatch.setattr(uploading, "_PAUSE_S", 0.0)


async def push(
    hub: RegistryServer, context: Path, *references: str, version: str = "v1", **options
) -> tuple[PublishedImage, ...]:
    arguments = {"VERSION": version, "BASE_IMAGE": f"{hub.host}/python:3"}
    recipes = [Recipe(context, reference, arguments) for reference in references]
    return await asyncio.to_thread(publishing.push, recipes, Silent(), **options)


def manifests(server: RegistryServer, name: str) -> dict[str, Image]:
    """Return by architecture what a tag leads to in a registry: the configuration and the layers as they came."""
    listed = json.loads(server.manifests[name][1])
    found = {}
    for item in listed["manifests"]:
        plain = json.loads(server.manifests[item["digest"]][1])
        layers = tuple(server.blobs[layer["digest"]] for layer in plain["layers"])
        config = server.blobs[plain["config"]["digest"]]
        found[item["platform"]["architecture"]] = Image(config, layers, ())
    return found


async def test_an_index_has_each_architecture_on_its_own_base_and_says_how_to_run(
    hub, target, context
) -> None:
    (published,) = await push(hub, context, f"{target.host}/course/shop:v2", version="v2")
    assert published.pinned == f"{target.host}/course/shop:v2@{published.digest}"
    assert digest(target.manifests["course/shop:v2"][1]) == published.digest
    made = manifests(target, "course/shop:v2")
    assert list(made) == ["amd64", "arm64"]
    for architecture, built in made.items():
        config = json.loads(built.config)
        assert config["architecture"] == architecture
        assert built.layers[:2] == PYTHON[architecture].layers
        assert config["config"] == {
            "Env": ["PATH=/usr/bin", "LANG=C.UTF-8", "VERSION=v2"],
            "Entrypoint": ["python3", "/app/main.py"],  # and no Cmd: the base's is not ours
            "ExposedPorts": {"8080/tcp": {}},
            "StopSignal": "SIGTERM",
            "User": "1000",
            "WorkingDir": "/app",
        }
        assert config["rootfs"]["diff_ids"][2] == digest(built.layers[2])
    with tarfile.open(fileobj=io.BytesIO(made["arm64"].layers[2])) as layer:
        assert [(item.name, oct(item.mode), item.mtime, item.uid) for item in layer] == [
            ("app", "0o755", 0, 0),
            ("app/main.py", "0o644", 0, 0),
            ("app/tool", "0o755", 0, 0),
            ("data", "0o755", 0, 0),
        ]


async def test_the_embedded_cluster_pulls_what_was_pushed_by_its_digest(
    hub, target, context, tmp_path
) -> None:
    (published,) = await push(hub, context, f"{target.host}/shop:v1")
    store = ContentStore(tmp_path / "images", Ownership("single"))
    async with session() as http:
        pulled = await pull(store, http, parse(published.pinned))
    assert pulled.entrypoint == ("python3", "/app/main.py")
    assert (pulled.layers[-1] / "app/main.py").read_text() == "print('hello')"


async def test_the_same_files_give_the_same_digest_whenever_and_wherever_they_are(
    hub, target, context, tmp_path
) -> None:
    (first,) = await push(hub, context, f"{target.host}/shop:v1")
    os.utime(context / "src" / "main.py", (0, 0))
    (context / "src" / "main.py").chmod(0o600)
    moved = context.rename(tmp_path / "elsewhere")
    async with serving(RegistryServer(scoped=True)) as other:
        (second,) = await push(hub, moved, f"{other.host}/another/name:v9")
    assert first.digest == second.digest
    (moved / "src" / "main.py").write_text("print('bye')")
    (third,) = await push(hub, moved, f"{target.host}/shop:v1")
    assert third.digest != first.digest


async def test_what_is_there_is_not_sent_again_and_one_repository_lends_to_another(
    hub, target, context
) -> None:
    names = [f"{target.host}/{name}" for name in ("shop:v1", "shop:v2", "store:v1")]
    published = [(await push(hub, context, name, version=name[-2:]))[0] for name in names[:2]]
    large = sum(len(layer) for made in PYTHON.values() for layer in made.layers)
    assert published[0].sent_bytes > large - len(PYTHON["amd64"].layers[0])
    assert 0 < published[1].sent_bytes < 5_000  # two configurations
    again, lent = await push(hub, context, names[0], names[2])
    assert again.sent_bytes == lent.sent_bytes == 0
    assert lent.digest == again.digest == published[0].digest
    puts = [path for method, path, _ in target.seen if method == "PUT" and path.endswith("/v1")]
    assert len(puts) == 2  # a tag that means it already is left alone
    target.mounts = False
    (third,) = await push(hub, context, f"{target.host}/third:v1")
    assert third.sent_bytes == published[0].sent_bytes


async def test_a_base_of_the_same_registry_lends_its_layers(target, context) -> None:
    serve_base(target, "mirror/python")
    layers = {digest(layer) for made in PYTHON.values() for layer in made.layers}
    target.repositories["mirror/python"] = layers | {
        digest(made.config) for made in PYTHON.values()
    }
    arguments = {"BASE_IMAGE": f"{target.host}/mirror/python:3"}
    recipe = Recipe(context, f"{target.host}/course/shop:v1", arguments)
    (published,) = await asyncio.to_thread(publishing.push, [recipe], Silent())
    assert published.sent_bytes < 20_000  # a layer of one record, two configurations


async def test_large_blobs_go_in_parts_and_broken_uploads_are_tried_again(
    hub, target, context, monkeypatch
) -> None:
    monkeypatch.setattr(uploading, "CHUNK_BYTES", 30_000)
    target.most_bytes, target.drops = 40_000, 2
    await push(hub, context, f"{target.host}/shop:v1")
    assert manifests(target, "shop:v1")["arm64"].layers[0] == PYTHON["arm64"].layers[0]
    assert "PATCH" in {method for method, _, _ in target.seen}
    target.drops = 100
    with pytest.raises(ImageError, match="ce qui est envoyé n’est pas renvoyé"):
        await push(hub, context, f"{target.host}/other:v1", version="v7")


async def test_bases_come_from_mirrors_and_images_go_to_the_registry_itself(
    hub, target, context, monkeypatch
) -> None:
    monkeypatch.setenv(endpoints.variable(), f"docker.io=http://{hub.host},*=http://{hub.host}")
    serve_base(hub, "library/python")
    recipe = Recipe(context, f"{target.host}/shop:v1")
    await asyncio.to_thread(publishing.push, [recipe], Silent())
    assert "shop:v1" in target.manifests
    monkeypatch.setenv(endpoints.variable(), f"{target.host}=http://{hub.host}")
    (published,) = await push(hub, context, f"{target.host}/shop:v1")
    assert published.sent_bytes == 0


async def test_a_token_is_asked_for_both_reading_and_writing(hub, target, context) -> None:
    target.token_for = "teacher:secret"
    name = f"{target.host}/course/shop:v1"
    (published,) = await push(hub, context, name, credentials=("teacher", "secret"))
    assert digest(target.manifests["course/shop:v1"][1]) == published.digest
    with pytest.raises(ImageError, match="docker login"):
        await push(hub, context, name, credentials=("teacher", "wrong"))
    with pytest.raises(ImageError, match="ne connaît pas cette identité"):
        await push(hub, context, name)


async def test_what_docker_login_has_kept_is_used(hub, target, context, tmp_path) -> None:
    target.basic_for = "teacher:secret"
    folder = tmp_path / "docker"
    folder.mkdir()
    pair = base64.b64encode(b"teacher:secret").decode()
    (folder / "config.json").write_text(json.dumps({"auths": {target.host: {"auth": pair}}}))
    await push(hub, context, f"{target.host}/shop:v1")
    assert "shop:v1" in target.manifests
    with pytest.raises(ImageError, match="ne connaît pas cette identité"):
        await push(hub, context, f"{target.host}/shop:v2", credentials=("teacher", "wrong"))


@pytest.mark.parametrize(
    ("status", "message", "found", "advice"),
    [
        (403, "requested access is denied", "n’a pas le droit d’écrire", "write_registry"),
        (403, "adding 9 MiB will exceed the quota", "quota de", "Demandez plus de place"),
        (404, "project course not found", "n’a pas ce dépôt", "Créez d’abord le projet"),
        (413, "", "refuse une couche de cette taille", "client_max_body_size"),
        (429, "slow down", "demande d’attendre", "quelques minutes"),
        (400, "invalid name", "invalid name", "administrateur"),
    ],
)
async def test_a_registry_that_refuses_is_explained(
    hub, target, context, status, message, found, advice
) -> None:
    target.refuses["/blobs/uploads/"] = (status, message)
    with pytest.raises(ImageError) as refused:
        await push(hub, context, f"{target.host}/course/shop:v1")
    assert found in refused.value.found
    assert advice in refused.value.advice


async def test_what_cannot_be_made_for_several_architectures_says_so(hub, target, context) -> None:
    name = f"{target.host}/shop:v1"
    text = CONTAINERFILE.replace("mkdir -p /data", "apt-get install curl")
    (context / "Containerfile").write_text(text)
    with pytest.raises(ImageError, match="doit tourner dans l’image"):
        await push(hub, context, name)
    (context / "Containerfile").write_text(CONTAINERFILE.replace("COPY", "COPY --chown=app"))
    with pytest.raises(ImageError, match="chown"):
        await push(hub, context, name)
    (context / "Containerfile").write_text("FROM " + f"{hub.host}/python:only-amd64")
    with pytest.raises(ImageError, match="--platform linux/amd64"):
        await push(hub, context, name)
    await push(hub, context, name, platforms=["linux/amd64"])
    assert list(manifests(target, "shop:v1")) == ["amd64"]
    (context / "Containerfile").write_text("FROM " + f"{hub.host}/missing:1")
    with pytest.raises(ImageError, match="l’image de base"):
        await push(hub, context, name)
    with pytest.raises(ImageError, match="minuscules"):
        await push(hub, context, f"{target.host}/Shop:v1")
    (context / "Containerfile").write_text(CONTAINERFILE)
    with pytest.raises(ImageError, match="le réseau"):
        await push(hub, context, "registry.invalid/shop:v1")


@pytest.mark.parametrize(
    ("answer", "username", "token"),
    [
        ('{"Username": "teacher", "Secret": "secret"}', "teacher", ""),
        ('{"Username": "<token>", "Secret": "secret"}', "", "secret"),
    ],
)
def test_a_credential_helper_is_asked(tmp_path, monkeypatch, answer, username, token) -> None:
    program = tmp_path / "docker-credential-safe"
    program.write_text(f"#!/bin/sh\nread server\n[ $server = r.example ] && echo '{answer}'")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    config = {"credsStore": "safe", "auths": {"r.example": {}}}
    known = docker_config.identity(config, "r.example")
    assert (known.username, known.identity_token) == (username, token)
    with pytest.raises(docker_config.HelperError, match="introuvable"):
        docker_config.identity({"credHelpers": {"r.example": "absent"}}, "r.example")
    with pytest.raises(docker_config.HelperError, match="docker-credential-safe"):
        docker_config.identity(config, "other.example")
