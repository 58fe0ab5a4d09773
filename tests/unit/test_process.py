"""Whether a process is known to have ended, by its identity."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from k8s_helpers import _process

TELL = "from k8s_helpers import _process; print(_process.identity(), flush=True); input()"


def test_a_process_is_known_while_it_lives_and_after() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", TELL], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        identity = process.stdout.readline().strip()
        assert not _process.has_ended(identity)
        process.kill()
    assert _process.has_ended(identity)


def test_another_process_with_the_same_number_is_another_one() -> None:
    machine, pid, _ = _process.identity().rsplit("/", 2)
    assert not _process.has_ended(_process.identity())
    assert _process.has_ended(f"{machine}/{pid}/1")


def test_of_another_machine_nothing_is_known() -> None:
    assert not _process.has_ended(f"another-boot/1/{2**22 + 1}/5")
    assert not _process.has_ended("nonsense")
    assert not _process.has_ended("")


def test_without_proc_the_number_tells(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(_process, "_PROC", tmp_path)
    assert _process.identity().endswith(f"/{os.getpid()}/")
    assert not _process.has_ended(_process.identity())
