"""The check of leftovers finds what it is there to find."""

from __future__ import annotations

import contextlib
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
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


@contextlib.contextmanager
def listener(home: str) -> Iterator[tuple[int, str]]:
    """Have a process of that home listen; give its number and its address."""
    process = subprocess.Popen(
        [sys.executable, "-c", _LISTEN],
        env={"K8S_HELPERS_HOME": home},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    yield process.pid, f"127.0.0.1:{process.stdout.readline().strip()}"
    process.communicate("\n", timeout=10)


def test_what_another_run_listens_on_is_not_left_by_this_one(tmp_path: Path) -> None:
    with listener(f"{leftovers.HOMES}another") as (_, others), listener(str(tmp_path)) as (_, own):
        assert {others, own} & leftovers.listening(tmp_path) == {own}


def test_a_process_is_found_by_its_environment_with_its_port(tmp_path: Path) -> None:
    with listener(str(tmp_path)) as (pid, address):
        found = {known.pid: known.listens for known in leftovers.our_processes(tmp_path)}
        in_the_open = address in leftovers.listening(tmp_path)
    assert found == {pid: {address}}
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


def test_a_closed_port_is_not_listened_on(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        assert address in leftovers.listening(tmp_path)
    assert address not in leftovers.listening(tmp_path)
