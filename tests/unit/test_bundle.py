"""The archive for a room without internet: what is damaged or foreign is refused before anything is installed."""

from __future__ import annotations

import hashlib
import io
import platform
import tarfile
from pathlib import Path

import image_files
import pytest

from embedded_kubernetes.node.images import library
from k8s_helpers._errors import BinariesError, K8sHelpersError, UsageError
from k8s_helpers._paths import COURSE
from k8s_helpers._progress import Silent
from k8s_helpers.builds import jars
from k8s_helpers.cli import bundle

KUBECTL = b"#!/bin/sh\necho kubectl\n"


def _archive(
    folder: Path, *, machine: str = "", name: str = "binaries/kubectl", content: bytes = KUBECTL
) -> Path:
    contents = bundle.Contents(
        "v1.2.3", machine or platform.machine(), {name: hashlib.sha256(KUBECTL).hexdigest()}
    )
    path = folder / "a.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        for member, data in ((bundle.MANIFEST, contents.to_json().encode()), (name, content)):
            info = tarfile.TarInfo(member)
            info.size, info.mode = len(data), 0o755
            tar.addfile(info, io.BytesIO(data))
    return path


def test_a_good_archive_is_unpacked(tmp_path: Path) -> None:
    contents = bundle.unpack(_archive(tmp_path), tmp_path / "out", Silent())
    assert contents.kubernetes_version == "v1.2.3"
    unpacked = tmp_path / "out" / "binaries" / "kubectl"
    assert unpacked.read_bytes() == KUBECTL
    assert unpacked.stat().st_mode & 0o777 == 0o755


def _refused(archive: Path, out: Path, kind: type[K8sHelpersError]) -> str:
    with pytest.raises(kind) as caught:
        bundle.unpack(archive, out, Silent())
    return str(caught.value)


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    archive = _archive(tmp_path, content=KUBECTL[:-1] + b"!")
    assert "abîmé" in _refused(archive, tmp_path / "out", BinariesError)


def test_a_cut_archive_is_refused(tmp_path: Path) -> None:
    archive = _archive(tmp_path)
    archive.write_bytes(archive.read_bytes()[:-40])
    assert "incomplète" in _refused(archive, tmp_path / "out", BinariesError)


def test_another_processor_is_refused(tmp_path: Path) -> None:
    assert "pdp11" in _refused(_archive(tmp_path, machine="pdp11"), tmp_path / "out", BinariesError)


def test_a_path_that_leaves_the_folder_is_refused(tmp_path: Path) -> None:
    _refused(_archive(tmp_path, name="binaries/../../evil"), tmp_path / "out", BinariesError)
    assert not (tmp_path / "evil").exists()


def test_another_archive_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        tar.addfile(tarfile.TarInfo("other"))
    assert "bundle save" in _refused(path, tmp_path / "out", UsageError)


def test_no_archive_at_all(tmp_path: Path) -> None:
    assert "rien de ce nom n’existe" in _refused(
        tmp_path / "none.tar.gz", tmp_path / "out", BinariesError
    )


def test_a_jar_goes_into_the_archive_and_comes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("K8S_HELPERS_HOME", str(tmp_path / "home"))
    assert bundle.built_jars() == {}
    kept = jars.cached(COURSE / "apps" / "demarrage_lent")
    kept.parent.mkdir()
    kept.write_bytes(b"jar")
    assert bundle.built_jars() == {f"jars/{kept.name}": kept}

    (tmp_path / "out" / "jars").mkdir(parents=True)
    kept.rename(tmp_path / "out" / "jars" / kept.name)
    contents = bundle.Contents("v1.2.3", platform.machine(), {f"jars/{kept.name}": ""})
    assert bundle.install_jars(tmp_path / "out", contents) == [str(kept)]
    assert kept.read_bytes() == b"jar"


def test_images_that_were_loaded_go_into_the_archive_and_come_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = image_files.image(image_files.tar(image_files.entry("page", b"x")), Cmd=["/serve"])
    source = image_files.write_tar(
        tmp_path / "web.tar", image_files.docker_files(made, "team/web:1")
    )
    monkeypatch.setenv("K8S_HELPERS_HOME", str(tmp_path / "here"))
    library.load(source, Silent())
    saved = bundle.save_own_images(tmp_path, Silent())
    assert list(saved) == ["embedded/team_web_1.tar"]

    monkeypatch.setenv("K8S_HELPERS_HOME", str(tmp_path / "there"))
    scratch = tmp_path / "out"
    (scratch / "embedded").mkdir(parents=True)
    for name, file in saved.items():
        file.rename(scratch / name)
    contents = bundle.Contents("v1.2.3", platform.machine(), dict.fromkeys(saved, ""))
    assert bundle.install_own_images(scratch, contents, Silent()) == ["team/web:1"]
    assert [image.name for image in library.stored()] == ["team/web:1"]
