"""The leak, run as it is: the Java program and its stand-in die alike and say the same."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from k8s_helpers._paths import COURSE
from k8s_helpers._progress import Silent
from k8s_helpers.builds import host_builds

APP = COURSE / "apps" / "fuite"
MIB = 1 << 20

needs_java = pytest.mark.skipif(shutil.which("javac") is None, reason="no JDK here")
both = pytest.mark.parametrize("kind", [pytest.param("java", marks=needs_java), "stand-in"])


@pytest.fixture(scope="module")
def java() -> list[str]:
    host_builds.prepare(APP, Silent())
    return ["java", "-XX:+UseSerialGC", "-cp", str(APP / "target/classes"), "MemoryLeakExample"]


def argv(kind: str, request: pytest.FixtureRequest) -> list[str]:
    if kind == "java":
        found: list[str] = request.getfixturevalue("java")
        return found
    return [sys.executable, "-S", str(APP / "standin" / "main.py")]


def leak(
    argv: list[str], timeout_s: float = 60.0, **environment: str
) -> tuple[int, list[dict[str, Any]], str]:
    done = subprocess.run(
        argv,
        env={"PATH": os.environ["PATH"], "LOG_EVERY_MS": "20", **environment},
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr


@both
def test_a_full_heap_ends_the_program_with_status_1(
    kind: str, request: pytest.FixtureRequest
) -> None:
    status, lines, errors = leak(
        argv(kind, request), LEAK_MB_PER_S="200", JAVA_TOOL_OPTIONS="-Xmx48m"
    )
    assert status == 1
    assert "java.lang.OutOfMemoryError: Java heap space" in errors
    assert [lines[0]["event"], lines[-1]["event"]] == ["starting", "out of memory"]
    held = [line["held_mb"] for line in lines[:-1] if "held_mb" in line]
    assert held == sorted(held) and held[-1] <= 48
    last = lines[-1]
    assert 0.6 * 48 * MIB < last["heap_used_bytes"] <= last["heap_max_bytes"] <= 48 * MIB
    assert last["heap_used_bytes"] < last["memory_bytes"] < 200 * MIB
    assert last["memory_source"] == "process"
    assert bool(last.get("stand_in")) == (kind == "stand-in")


@both
def test_a_wrong_setting_ends_it_with_status_2_and_a_sentence(
    kind: str, request: pytest.FixtureRequest
) -> None:
    status, lines, errors = leak(argv(kind, request), LEAK_MB_PER_S="vite")
    assert (status, lines) == (2, [])
    assert "LEAK_MB_PER_S=vite" in errors and "manifeste" in errors


@both
def test_it_can_stop_leaking_and_live_on(kind: str, request: pytest.FixtureRequest) -> None:
    with pytest.raises(subprocess.TimeoutExpired) as raised:
        leak(argv(kind, request), 4.0, LEAK_MB_PER_S="100", MAX_MB="5")
    assert raised.value.stdout is not None
    last = json.loads(raised.value.stdout.decode().splitlines()[-2])
    assert (last["event"], last["held_mb"]) == ("full", 5)


def test_the_stand_in_has_the_heap_that_a_jvm_would_have() -> None:
    limit = str(64 * MIB)
    _, lines, _ = leak(
        [sys.executable, "-S", str(APP / "standin/main.py")],
        LEAK_MB_PER_S="500",
        MEMORY_LIMIT_BYTES=limit,
    )
    assert lines[0]["heap_max_bytes"] == 32 * MIB


def test_the_readme_knows_every_file() -> None:
    text = (APP / "README.md").read_text(encoding="utf-8")
    files = [
        path.relative_to(APP).as_posix()
        for path in APP.rglob("*")
        if path.suffix in (".java", ".py") and "target" not in path.parts
    ]
    assert len(files) == 4
    assert [name for name in files if f"({name})" not in text] == []
    assert Path(APP / "Containerfile").is_file()
