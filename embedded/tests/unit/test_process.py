"""Whether a process is known to have ended, by its identity."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from embedded_kubernetes import processes

TELL = "from embedded_kubernetes import processes; print(processes.identity(), flush=True); input()"


def test_a_process_is_known_while_it_lives_and_after() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", TELL], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        identity = process.stdout.readline().strip()
        assert not processes.has_ended(identity)
        process.kill()
    assert processes.has_ended(identity)


def test_another_process_with_the_same_number_is_another_one() -> None:
    machine, pid, _ = processes.identity().rsplit("/", 2)
    assert not processes.has_ended(processes.identity())
    assert processes.has_ended(f"{machine}/{pid}/1")


def test_of_another_machine_nothing_is_known() -> None:
    assert not processes.has_ended(f"another-boot/1/{2**22 + 1}/5")
    assert not processes.has_ended("nonsense")
    assert not processes.has_ended("")


def test_without_proc_the_number_tells(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(processes, "_PROC", tmp_path)
    assert processes.identity().endswith(f"/{os.getpid()}/")
    assert not processes.has_ended(processes.identity())
