"""A leak is found where it is made."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import open_files

TESTS = """
import socket
from open_files import nothing_left_open

class Ring:
    def __init__(self):
        self.me, self.socket = self, socket.socket()

KEPT = []

def test_leaves_what_is_collected_later():
    Ring()

def test_keeps_one_open():
    KEPT.append(socket.socket())

def test_leaves_nothing():
    socket.socket().close()
    KEPT.pop().close()
"""


def test_the_test_that_leaves_a_socket_open_fails_and_no_other(tmp_path: Path) -> None:
    (tmp_path / "test_leaks.py").write_text(TESTS)
    (tmp_path / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n")
    place = Path(open_files.__file__).parent
    argv = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:nbval",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:asyncio",
    ]
    argv += ["-ra", "-o", f"pythonpath={place}"]
    done = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "3 passed, 2 errors" in done.stdout, done.stdout
    for name in ("leaves_what_is_collected_later", "keeps_one_open"):
        assert f"ERROR test_leaks.py::test_{name}" in done.stdout
