"""The ends of the range of official Python clients that pyproject.toml allows: each does what is asked of it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import kubernetes
import pytest
import yaml

ROOT = Path(__file__).parents[2]
USES = ROOT / "tests" / "client_uses.py"


def allowed() -> tuple[str, str]:
    """Return the lowest release that is allowed, and what none may reach."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    (text,) = (name for name in project["dependencies"] if name.startswith("kubernetes>"))
    lowest, below = re.fullmatch(r"kubernetes>=([\d.]+),<([\d.]+)", text).groups()  # type: ignore[union-attr]
    return lowest, below


def test_both_ends_are_in_the_workflow() -> None:
    lowest, below = allowed()
    jobs = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text("utf-8"))["jobs"]
    ends = jobs["client"]["strategy"]["matrix"]["kubernetes"]
    assert ends == [f"=={lowest}", f"~={int(below) - 1}.0"]


def tried(folder: Path | None) -> dict[str, object]:
    """Return what the uses came to, with the client of a folder in front of the one that is installed."""
    path = [str(folder)] if folder is not None else []
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([*path, str(ROOT)])}
    argv = [sys.executable, "-W", "ignore", str(USES)]
    done = subprocess.run(argv, env=env, capture_output=True, text=True, timeout=60, check=True)
    result: dict[str, object] = json.loads(done.stdout)
    return result


def test_the_installed_client_does_what_the_course_asks() -> None:
    lowest, below = allowed()
    numbers = [tuple(map(int, text.split("."))) for text in (lowest, kubernetes.__version__, below)]
    assert numbers == sorted(numbers)
    assert tried(None) == {"release": kubernetes.__version__, "wrong": {}}


def test_the_oldest_client_does_too(tmp_path: Path) -> None:
    """Its files alone, beside what the installed one needs: pip keeps the archive in its cache."""
    lowest, _ = allowed()
    options = ["--quiet", "--no-deps", "--no-compile", "--disable-pip-version-check"]
    argv = [sys.executable, "-m", "pip", "install", *options, "--target", str(tmp_path)]
    done = subprocess.run(
        [*argv, f"kubernetes=={lowest}"], capture_output=True, text=True, timeout=300, check=False
    )
    if done.returncode and "CI" not in os.environ:
        pytest.skip(f"kubernetes {lowest} cannot be had here: {done.stderr.strip()[-200:]}")
    assert done.returncode == 0, done.stderr
    assert tried(tmp_path) == {"release": lowest, "wrong": {}}
