"""The command that saves an image, as each engine and version takes it; the engine is a program that writes it down."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from k8s_helpers.providers.kind.engine import Engine

PROGRAM = """#!/bin/sh
case "$1 $2" in
    "version --format") echo {api} ;;
    "image inspect") echo linux/arm64/v8 ;;
    *) echo "$@" >> {log} ;;
esac
"""


@pytest.mark.parametrize(
    ("command", "api", "option"),
    [
        ("docker", "1.54", "--platform linux/arm64/v8 "),  # Docker 29
        ("docker", "1.48", "--platform linux/arm64/v8 "),  # Docker 28, the first to know it
        ("docker", "1.47", ""),
        ("docker", "1.9", ""),
        ("docker", "1.41", ""),  # a new client that talks to an old server says the server's
        ("docker", "", ""),
        ("podman", "5.4", ""),
    ],
)
def test_an_image_is_saved_for_one_platform_where_the_engine_can(
    tmp_path: Path, environment: os._Environ[str], command: str, api: str, option: str
) -> None:
    log = tmp_path / "log"
    program = tmp_path / command
    program.write_text(PROGRAM.format(api=api, log=log))
    program.chmod(0o755)
    environment["PATH"] = f"{tmp_path}{os.pathsep}{environment['PATH']}"
    engine = Engine(command, "1", False, "/")
    engine.save("a:1", tmp_path / "a.tar", 10)
    assert log.read_text() == f"image save {option}--output {tmp_path}/a.tar a:1\n"
