"""`k8s-lab image`: what it prints, what it refuses, and what it asks of kind's engine."""

from __future__ import annotations

import json
import os
from pathlib import Path

import image_files
import pytest

from k8s_helpers import cli
from k8s_helpers._errors import ImageError, UsageError
from k8s_helpers._progress import Silent
from k8s_helpers.cli import images
from k8s_helpers.providers.base import StoredImage
from k8s_helpers.providers.kind import images as kind_images
from k8s_helpers.providers.kind import state as kind_state
from k8s_helpers.providers.kind import store as kind_store
from k8s_helpers.providers.kind.engine import Engine

ID = "sha256:0123456789abcdef"


def test_images_are_listed_in_columns_with_french_words() -> None:
    text = images.table(
        [
            StoredImage("vitrine:v1", ID, 4096, "host/python:3.11.7", "built"),
            StoredImage("nginx:1.29", ID, 67_200_000, "", "pulled"),
            StoredImage("host/shell", ID, 0, "", "host"),
        ]
    )
    head, *lines = text.splitlines()
    assert head.split() == ["IMAGE", "ID", "TAILLE", "BASE", "ORIGINE"]
    assert (
        lines[0].split("  ")[0] == "vitrine:v1" and "host/python:3.11.7  construite ici" in lines[0]
    )
    assert "67,2 Mo" in lines[1] and lines[1].endswith("téléchargée")
    assert lines[2].split() == [
        "host/shell",
        "0123456789ab",
        "–",
        "–",
        *["programmes", "de", "cette", "machine"],
    ]
    assert {line.index("0123456789ab") for line in lines} == {head.index("ID")}


def test_a_build_argument_needs_a_value() -> None:
    assert cli.call(["image", "build", ".", "--tag", "a:1", "--build-arg", "VERSION"]) == 2
    with pytest.raises(UsageError, match="il y manque une valeur"):
        images._values(["VERSION"])
    assert images._values(["A=1", "B=x=y"]) == {"A": "1", "B": "x=y"}


ENGINE = """#!/bin/sh
echo "$@" >> {log}
case "$*" in
    "pull docker.io/library/away:1"|"pull docker.io/library/there:1")
        echo 'dial tcp: lookup registry: no such host' >&2; exit 1 ;;
    "pull docker.io/library/typo:1") echo 'manifest unknown' >&2; exit 1 ;;
    "image inspect docker.io/library/there:1") exit 0 ;;
    "image inspect "*app:1) echo 'nginx:1.29' ;;
    "image inspect "*) exit 1 ;;
    "images --filter "*) echo app:1 ;;
    "exec node crictl images "*) cat {listed} ;;
    "exec node crictl rmi docker.io/library/app:1") exit 0 ;;
    "exec node crictl rmi "*) echo 'no such image' >&2; exit 1 ;;
esac
"""
"""An engine that writes down what it is asked."""


@pytest.fixture
def engine(tmp_path: Path, environment: os._Environ[str]) -> Engine:
    listed = tmp_path / "listed.json"
    names = ["docker.io/library/app:1", "docker.io/library/web:1", "registry.k8s.io/pause:3"]
    plain = [{"id": ID, "size": "1000000", "repoTags": [name]} for name in names]
    listed.write_text(json.dumps({"images": [*plain, {"id": ID, "size": "1", "repoTags": []}]}))
    for name in ("docker", "kind"):
        program = tmp_path / name
        program.write_text(ENGINE.format(log=tmp_path / "log", listed=listed))
        program.chmod(0o755)
    environment["PATH"] = f"{tmp_path}{os.pathsep}{environment['PATH']}"
    return Engine("docker", "29", False, "/")


def test_images_of_a_kind_node_say_where_they_come_from(engine: Engine) -> None:
    noted = {"docker.io/library/web:1": "pulled"}
    found = {image.name: image for image in kind_store.stored(engine, "node", noted)}
    assert list(found) == ["app:1", "registry.k8s.io/pause:3", "web:1"]
    assert (found["app:1"].base, found["app:1"].origin) == ("nginx:1.29", "built")
    assert found["web:1"].origin == "pulled"
    assert found["registry.k8s.io/pause:3"].origin == "node"
    assert found["app:1"].size_bytes == 1_000_000


def test_what_an_engine_cannot_pull_is_explained(engine: Engine) -> None:
    with pytest.raises(ImageError, match="image load"):
        kind_store.pull(engine, kind_images.reference("away:1"), Silent())
    with pytest.raises(ImageError, match="Vérifiez le nom"):
        kind_store.pull(engine, kind_images.reference("typo:1"), Silent())
    # Without a network, what the engine has (from a bundle) will do.
    kind_store.pull(engine, kind_images.reference("there:1"), Silent())


def test_an_archive_is_given_to_the_engine_and_the_node(engine: Engine, tmp_path: Path) -> None:
    made = image_files.image(image_files.tar(image_files.entry("page", b"x")))
    docker = image_files.write_tar(
        tmp_path / "docker.tar", image_files.docker_files(made, "web:1", "team/web:2")
    )
    assert kind_store.load_from(engine, "c", docker, Silent()) == ("web:1", "team/web:2")
    asked = (tmp_path / "log").read_text().splitlines()
    assert asked == [f"load image-archive --name c {docker}", f"load --input {docker}"]
    name = {"io.containerd.image.name": "docker.io/library/web:3"}
    layout = image_files.write_tar(tmp_path / "oci.tar", image_files.oci_files(made, name))
    assert kind_store.load_from(engine, "c", layout, Silent()) == ("web:3",)


@pytest.mark.parametrize("content", [b"", b"text", None])
def test_what_is_no_archive_of_images_is_refused(
    engine: Engine, tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "archive.tar"
    if content is None:
        image_files.write_tar(path, {"readme": b"x"})
    else:
        path.write_bytes(content)
    with pytest.raises(ImageError, match="pas une archive d’images"):
        kind_store.load_from(engine, "c", path, Silent())
    with pytest.raises(ImageError, match="rien de ce nom"):
        kind_store.load_from(engine, "c", tmp_path / "none.tar", Silent())


def test_an_image_is_removed_from_the_node_alone(engine: Engine, tmp_path: Path) -> None:
    kind_store.remove(engine, "c", "node", "app:1")
    with pytest.raises(ImageError, match="pas d’image de ce nom"):
        kind_store.remove(engine, "c", "node", "other:1")
    asked = (tmp_path / "log").read_text()
    assert "exec node crictl rmi docker.io/library/app:1" in asked and "image rm" not in asked


def test_pulled_images_of_kind_clusters_are_noted_for_a_bundle(
    tmp_path: Path, environment: os._Environ[str]
) -> None:
    environment["K8S_HELPERS_HOME"] = str(tmp_path)
    folder = kind_state.KindFolder("a")
    folder.path.mkdir(parents=True)
    folder.note_images({"docker.io/library/web:1": "pulled", "x:1": "loaded"})
    folder.note_images({"x:1": None})
    assert folder.images() == {"docker.io/library/web:1": "pulled"}
    assert kind_state.noted_images() == ["docker.io/library/web:1"]


@pytest.mark.parametrize(
    ("containerfile", "arguments", "base"),
    [
        ("FROM nginx:1.29\n", {}, "nginx:1.29"),
        ("ARG BASE_IMAGE=python:3\nFROM ${BASE_IMAGE}\n", {}, "python:3"),
        ("ARG BASE_IMAGE=python:3\nFROM ${BASE_IMAGE}\n", {"BASE_IMAGE": "mirror/p:1"}, "mirror/p:1"),
        ("FROM maven AS build\nfrom alpine:3\n", {}, "alpine:3"),
        ("# nothing\n", {}, ""),
    ],
)  # fmt: skip
def test_a_built_image_says_what_it_stands_on(
    containerfile: str, arguments: dict[str, str], base: str
) -> None:
    assert kind_images._base(containerfile, arguments) == base
