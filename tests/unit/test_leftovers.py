"""The check of leftovers finds what it is there to find."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from pathlib import Path

import leftovers
import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

_LISTEN = """
import socket
with socket.create_server(("127.0.0.1", 0)) as server:
    print(server.getsockname()[1], flush=True)
    input()
"""


def test_a_process_is_found_by_its_environment_with_its_port(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", _LISTEN],
        env={"K8S_HELPERS_HOME": str(tmp_path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    address = f"127.0.0.1:{process.stdout.readline().strip()}"
    found = {known.pid: known.listens for known in leftovers.our_processes(tmp_path)}
    in_the_open = address in leftovers.listening()
    process.communicate("\n", timeout=10)
    assert found == {process.pid: {address}}
    assert in_the_open
    assert leftovers.our_processes(tmp_path) == []


def test_a_process_is_found_by_its_folder(tmp_path: Path) -> None:
    process = subprocess.Popen(["sleep", "60"], cwd=tmp_path, env={})
    try:
        assert [known.pid for known in leftovers.our_processes(tmp_path)] == [process.pid]
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


def test_a_process_of_somebody_else_is_not_ours(tmp_path: Path) -> None:
    process = subprocess.Popen(["sleep", "60"], cwd="/", env={})
    try:
        assert leftovers.our_processes(tmp_path) == []
    finally:
        process.kill()
        process.wait()


def test_what_does_not_settle_is_reported(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    assert leftovers.settled(lambda: leftovers.files_in(tmp_path), within_s=0.1) == []
    (tmp_path / "folder" / "file").touch()
    assert leftovers.settled(lambda: leftovers.files_in(tmp_path), within_s=0.1) == ["folder/file"]


def test_a_closed_port_is_not_listened_on() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        assert address in leftovers.listening()
    assert address not in leftovers.listening()
