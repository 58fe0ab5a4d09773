"""The images of a user: loaded, listed, removed, written as an archive again."""

import asyncio
import json
import platform
import shutil
from pathlib import Path

import image_files
import pytest
from registry_server import serving

from embedded_kubernetes import paths
from embedded_kubernetes.errors import ImageError
from embedded_kubernetes.node import isolation
from embedded_kubernetes.node.images import bases, library
from embedded_kubernetes.node.images.content.content_store import ContentStore
from embedded_kubernetes.node.images.content.references import parse
from embedded_kubernetes.node.images.library import build
from embedded_kubernetes.node.images.stack import Stack
from embedded_kubernetes.node.images.store import Store
from embedded_kubernetes.progress import Silent


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """What `docker save web:1` writes: two layers, the second takes a file of the first away."""
    made = image_files.image(
        image_files.tar(
            image_files.entry("srv/page", b"old"),
            image_files.entry("srv/gone", b"x"),
            image_files.entry("bin/serve", b"#!/bin/sh\n", mode=0o755),
        ),
        image_files.tar(
            image_files.entry("srv/page", b"new"), image_files.entry("srv/.wh.gone", b"")
        ),
        Env=["PATH=/bin"],
        Cmd=["/bin/serve"],
        Labels={bases.BASE_NAME_LABEL: "debian:13"},
    )
    return image_files.write_tar(tmp_path / "web.tar", image_files.docker_files(made, "web:1"))


def names(cluster: Path | None = None) -> list[str]:
    return [image.name for image in library.stored(cluster)]


def test_what_is_loaded_is_listed_for_all_clusters_until_it_is_removed(archive, tmp_path):
    assert library.load(archive, Silent()) == ("web:1",)
    (listed,) = library.stored()
    assert (listed.name, listed.base, listed.origin) == ("web:1", "debian:13", "loaded")
    assert listed.image_id.startswith("sha256:") and listed.size_bytes > 0
    python = f"host/python:{platform.python_version()}"
    cluster = tmp_path / "cluster"
    assert {"web:1", python, "host/shell"} <= set(names(cluster))
    library.remove("docker.io/library/web:1", cluster)
    assert names() == []
    assert not list((ContentStore().folder).glob("layers-*/*"))


def test_what_is_built_is_the_cluster_s_alone_and_removed_first(archive, tmp_path):
    library.load(archive, Silent())
    cluster, app = tmp_path / "cluster", tmp_path / "app"
    app.mkdir()
    (app / "Containerfile").write_text("FROM host/shell\nCOPY Containerfile /\n")
    build(cluster, app, "web:1", {})
    found = {image.name: image for image in library.stored(cluster) if image.name == "web:1"}
    assert found and len([name for name in names(cluster) if name == "web:1"]) == 2
    library.remove("web:1", cluster)
    assert [image.origin for image in library.stored(cluster) if image.name == "web:1"] == [
        "loaded"
    ]
    assert Store(cluster).built() == ()


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("web:1", "aucune image de ce nom"),
        ("host/python", "programmes de cette machine"),
        ("Web:1", "pas un nom d’image"),
    ],
)
def test_what_cannot_be_removed_says_why(name, found, tmp_path):
    with pytest.raises(ImageError, match=found):
        library.remove(name, tmp_path / "cluster")


def test_an_image_goes_to_another_machine_by_an_archive(archive, tmp_path, monkeypatch):
    library.load(archive, Silent())
    before = ContentStore().image(parse("web:1"))
    library.save("web:1", tmp_path / "again.tar")
    monkeypatch.setenv(paths.variable("HOME"), str(tmp_path / "elsewhere"))
    assert names() == []
    assert library.load(tmp_path / "again.tar", Silent()) == ("web:1",)
    after = ContentStore().image(parse("web:1"))
    assert (after.env, after.cmd, after.labels) == (before.env, before.cmd, before.labels)
    seen = [
        sorted(path.relative_to(layer).as_posix() for layer in image.layers for path in layer.rglob("*"))
        for image in (before, after)
    ]  # fmt: skip
    assert seen[0] == seen[1]
    assert (after.layers[0] / "bin/serve").stat().st_mode & 0o777 == 0o755


def test_layers_stay_as_long_as_an_image_was_built_on_them(archive, tmp_path):
    library.load(archive, Silent())
    cluster, app = tmp_path / "cluster", tmp_path / "app"
    app.mkdir()
    (app / "Containerfile").write_text("FROM web:1\nCOPY Containerfile /\n")
    built = build(cluster, app, "mine:1", {})
    assert built.labels[bases.BASE_NAME_LABEL] == "web:1" and len(built.layers) == 3
    library.remove("web:1", cluster)
    assert all(layer.is_dir() for layer in built.layers)
    shutil.rmtree(cluster)
    ContentStore().sweep()
    assert not any(layer.is_dir() for layer in built.layers[:2])


def test_an_archive_that_is_none_is_refused(tmp_path):
    path = tmp_path / "other.tar"
    path.write_text(json.dumps({}))
    with pytest.raises(ImageError, match="pas une image"):
        library.load(path, Silent())


def test_a_pull_that_fails_says_why_and_what_to_do():
    with pytest.raises(ImageError) as raised:
        library.pull("nginx:1", Silent())
    assert raised.value.tried == "Télécharger l’image « nginx:1 »"
    assert "connection refused" in raised.value.found and "image load" in raised.value.advice
    with pytest.raises(ImageError, match="must be lowercase"):
        library.pull("Nginx", Silent())


def test_a_build_runs_in_the_image_itself_and_adds_one_layer(tmp_path):
    if isolation.refusals().files is not None:
        pytest.skip("no namespaces here")
    made = image_files.image(
        image_files.tar(
            image_files.entry("etc/passwd", b"root:x:0:0::/root:/bin/sh\nweb:x:1000:1000::/web:/bin/sh\n"),
            image_files.entry("etc/group", b"root:x:0:\nweb:x:1000:\n"),
            image_files.entry("old", b"x"),
            *image_files.programs("sh", "ls", "rm", "id", "mkdir", "chown"),
        )
    )  # fmt: skip
    library.load(
        image_files.write_tar(tmp_path / "tools.tar", image_files.docker_files(made, "tools:1")),
        Silent(),
    )
    app = tmp_path / "app"
    app.mkdir()
    (app / "page").write_text("page")
    (app / "Containerfile").write_text(
        "FROM tools:1\nCOPY page /\nRUN rm /old && ls / > /seen && mkdir /web && chown web /web\n"
        "USER web\nWORKDIR /web/deep\nCOPY --chown=web page /web/\nRUN id -u > /web/id\n"
    )
    built = library.build(tmp_path / "cluster", app, "mine:1", {})
    assert len(built.layers) == 2 and not built.host_programs
    stack = Stack(built.layers)
    seen, number = (stack.find(path) for path in ("/seen", "/web/id"))
    assert seen is not None and number is not None and number.read_text() == "1000\n"
    names = set(seen.read_text().split())
    assert {"bin", "page", "seen"} <= names and not {"old", "home", "usr", "root"} & names
    assert stack.find("/old") is None and stack.find("/web/page") is not None
    assert not {"dev", "proc", "sys", "whole"} & {path.name for path in built.layers[1].iterdir()}
    again = library.build(tmp_path / "cluster", app, "mine:2", {})
    assert again.image_id == built.image_id


def test_without_namespaces_an_image_with_files_of_its_own_cannot_run_a_step(
    archive, tmp_path, monkeypatch
):
    library.load(archive, Silent())
    app = tmp_path / "app"
    app.mkdir()
    (app / "Containerfile").write_text("FROM web:1\nRUN /bin/serve\n")
    monkeypatch.setenv(paths.variable("ISOLATION"), "prefix")
    with pytest.raises(ImageError, match="demande des espaces de noms"):
        library.build(tmp_path / "cluster", app, "mine:1", {})


async def test_a_build_pulls_the_base_that_is_not_here_and_asks_once(tmp_path):
    base = image_files.image(image_files.tar(image_files.entry("srv/page", b"old")), Cmd=["/serve"])
    async with serving() as registry:
        registry.add("shop:1", base)
        app = tmp_path / "app"
        app.mkdir()
        name = f"{registry.host}/shop:1"
        (app / "Containerfile").write_text(f"FROM {name}\nCOPY --from={name} /srv/ /copy/\n")
        cluster = tmp_path / "cluster"
        built = await asyncio.to_thread(library.build, cluster, app, "mine:1", {})
        asked = len(registry.seen)
        again = await asyncio.to_thread(library.build, cluster, app, "mine:2", {})
        assert again.image_id == built.image_id and len(registry.seen) == asked
        (app / "Containerfile").write_text(f"FROM {registry.host}/shop:2\n")
        with pytest.raises(ImageError, match="not found") as refused:
            await asyncio.to_thread(library.build, cluster, app, "mine:3", {})
    assert "ligne 1" in refused.value.tried
    assert built.cmd == ("/serve",) and Stack(built.layers).find("/copy/page") is not None
    assert {image.name: image.origin for image in library.stored()} == {name: "pulled"}
