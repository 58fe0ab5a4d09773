"""Where things are kept, and whose they are."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from embedded_kubernetes import paths
from embedded_kubernetes.errors import ResourceError


@pytest.fixture
def application(monkeypatch: pytest.MonkeyPatch) -> paths.Application:
    """Another application than the one that the run began with."""
    monkeypatch.setattr(paths, "_application", paths._application)
    own = paths.Application("lab", "lab-command", "LAB")
    paths.belong_to(own)
    return own


def test_an_application_has_folders_variables_and_a_command_of_its_own(
    application: paths.Application, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert paths.state_dir() == tmp_path / "lab"
    monkeypatch.setenv("LAB_HOME", str(tmp_path / "home"))
    assert paths.state_dir() == tmp_path / "home" / "state"
    assert paths.cache_dir() == tmp_path / "home" / "cache"
    monkeypatch.setenv("LAB_CACHE", str(tmp_path / "cache"))
    assert paths.cache_dir() == tmp_path / "cache"
    assert paths.command() == "lab-command"


def test_a_clusters_own_processes_know_the_application(application: paths.Application) -> None:
    code = "from embedded_kubernetes import paths; print(paths.command(), paths.variable('HOME'))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **paths.environment()},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["lab-command", "LAB_HOME"]


def test_folders_are_private(home: Path) -> None:
    assert paths.state_dir().stat().st_mode & 0o777 == 0o700


def test_a_socket_folder_is_short_whatever_home_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(paths.variable("HOME"), str(tmp_path / ("long" * 30)))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    assert paths.runtime_dir("a") == tmp_path / paths.command() / "a"


def test_another_users_socket_folder_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(paths.variable("HOME"), "")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    uid = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: uid + 1)
    with pytest.raises(ResourceError, match="autre compte"):
        paths.runtime_dir("a")
