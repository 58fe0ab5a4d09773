"""What is made on this machine before an image: Java compiled, or its stand-in where there is no Java."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from k8s_helpers import _paths
from k8s_helpers._errors import ImageError
from k8s_helpers._progress import Silent
from k8s_helpers.builds import host_builds, images

needs_java = pytest.mark.skipif(shutil.which("javac") is None, reason="no JDK here")


class Told(Silent):
    def __init__(self) -> None:
        self.steps: list[str] = []

    def step(self, text: str, fraction: float | None = None) -> None:
        self.steps.append(text)


def java(folder: Path, text: str = "class Un { }") -> Path:
    (folder / "src").mkdir(parents=True)
    (folder / "src" / "Un.java").write_text(text)
    return folder


def test_a_python_app_is_its_own_context(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    assert host_builds.prepare(tmp_path, Silent()) == tmp_path
    assert not images.stands_in("vitrine")


@needs_java
def test_java_is_compiled_once_and_again_when_it_changes(tmp_path: Path) -> None:
    app, told = java(tmp_path / "app"), Told()
    assert host_builds.prepare(app, told) == app
    made = app / "target/classes/Un.class"
    assert made.is_file() and len(told.steps) == 1
    host_builds.prepare(app, told)
    assert len(told.steps) == 1
    later = made.stat().st_mtime + 10
    (app / "src/Un.java").write_text("class Deux { }")
    os.utime(app / "src/Un.java", (later, later))
    host_builds.prepare(app, told)
    assert [path.name for path in made.parent.iterdir()] == ["Deux.class"]
    assert [path.name for path in (app / "target").iterdir()] == ["classes"]


@needs_java
def test_a_program_that_does_not_compile_is_told_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"Un\.java:1: error") as raised:
        host_builds.prepare(java(tmp_path / "app", "class Un { int }"), Silent())
    assert "JDK 17" in raised.value.advice


def test_without_java_the_stand_in_is_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    app = _paths.COURSE / "apps" / "fuite"
    context = host_builds.prepare(app, Silent())
    assert context == app / "standin" and (context / "Containerfile").is_file()
    assert images.stands_in("fuite")
