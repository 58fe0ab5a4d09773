"""The command `embedded-kubernetes`, as far as it goes without starting a cluster."""

import os
import re
from pathlib import Path

import image_files
import pytest

from embedded_kubernetes import cli, paths
from embedded_kubernetes.cluster import EmbeddedCluster
from embedded_kubernetes.control import lifecycle
from embedded_kubernetes.lock import try_lock
from embedded_kubernetes.programs import binaries

README = Path(__file__).parents[2] / "README.md"


def call(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    assert isinstance(ended.value.code, int)
    return ended.value.code


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A folder of programs that say the right version."""
    folder = tmp_path / "programs"
    folder.mkdir()
    for name in binaries.PROGRAMS:
        (folder / name).write_text(f"#!/bin/sh\necho Kubernetes {binaries.KUBERNETES_VERSION}\n")
        (folder / name).chmod(0o755)
    return folder


def test_a_cluster_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("status") == 5
    assert capsys.readouterr().out == "default: absent\n"
    assert call("kubeconfig", "--name", "a") == 2
    assert f"{paths.command()} up --name a" in capsys.readouterr().err
    assert call("down") == 0


def test_a_bad_name_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("up", "--name", "No!") == 2
    assert "Constaté" in capsys.readouterr().err


def test_a_busy_cluster_has_its_own_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lifecycle, "BUSY_TIMEOUT_S", 0.0)
    lock = try_lock(EmbeddedCluster("a").directory)
    assert lock is not None
    try:
        assert call("up", "--name", "a") == 12
    finally:
        os.close(lock)


def test_programs_are_copied_from_a_folder_that_keeps_them(programs: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    assert call("--cache", str(cache), "fetch", "--from", str(programs)) == 0
    found = binaries.cached()
    assert found is not None and found.folder.is_relative_to(cache)
    assert {file.name for file in programs.iterdir()} == set(binaries.PROGRAMS)


def test_a_folder_without_all_programs_says_which_is_missing(
    programs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (programs / "etcd").unlink()
    assert call("fetch", "--from", str(programs)) == 2
    assert "il y manque etcd" in capsys.readouterr().err


def test_env_finds_kubectl_and_the_cluster(
    programs: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call("fetch", "--from", str(programs))
    kubeconfig = EmbeddedCluster("a").kubeconfig
    kubeconfig.parent.mkdir(parents=True)
    kubeconfig.touch()
    capsys.readouterr()
    assert call("env", "--name", "a") == 0
    bin_folder = home / "cache" / "bin" / binaries.KUBERNETES_VERSION
    assert capsys.readouterr().out.splitlines() == [
        f"export KUBECONFIG={kubeconfig}",
        f"export PATH={bin_folder}:$PATH",
    ]


def test_the_readme_lists_every_command_and_no_other(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("--help") == 0
    commands = set(re.findall(r"^    (\w+) ", capsys.readouterr().out, re.MULTILINE))
    assert set(re.findall(r"^\| `([a-z]+)`", README.read_text("utf-8"), re.MULTILINE)) == commands


def test_what_the_readme_calls_public_exists() -> None:
    text = README.read_text("utf-8")
    rows = re.findall(r"^\| (`embedded_kubernetes\.[^|]*)\|", text, re.MULTILINE)
    names = [
        name for row in rows for name in re.findall(r"`(?:embedded_kubernetes)?\.([\w.]+)`", row)
    ]
    assert len(names) > 10
    package = Path(cli.__file__).parent
    assert [
        name for name in names if not (package / f"{name.replace('.', '/')}.py").is_file()
    ] == []


def test_images_are_listed_loaded_and_removed_from_a_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = image_files.image(image_files.tar(image_files.entry("page", b"x")))
    archive = image_files.write_tar(
        tmp_path / "web.tar", image_files.docker_files(made, "team/web:1")
    )
    assert call("image", "load", str(archive)) == 0
    assert capsys.readouterr().out == "team/web:1\n"
    assert call("image", "list") == 0
    head, line = capsys.readouterr().out.splitlines()
    assert head.split() == ["IMAGE", "ID", "SIZE", "BASE", "ORIGIN"]
    assert line.split()[0] == "team/web:1" and line.split()[-1] == "loaded"
    assert call("image", "remove", "team/web:1") == 0
    assert call("image", "remove", "team/web:1") == 9
    assert "aucune image de ce nom" in capsys.readouterr().err
    assert call("image", "pull", "team/web:1") == 9
    assert "connection refused" in capsys.readouterr().err
    assert call("image", "load", str(tmp_path / "none.tar")) == 9
