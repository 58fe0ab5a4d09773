"""What happened to a cluster, in files of its folder: the supervisor writes them, who uses the cluster reads them."""

from __future__ import annotations

import contextlib
import json
import time
from pathlib import Path
from typing import Any

FAILURE_FILE = "failure.json"
"""Why the cluster ended."""
_INCIDENTS_FILE = "incidents.jsonl"


def record(directory: Path, component: str, what: str) -> None:
    """Note what happened to a component, in French."""
    line = json.dumps(
        {"wall_s": time.time(), "component": component, "what": what}, ensure_ascii=False
    )
    with (
        contextlib.suppress(OSError),
        (directory / _INCIDENTS_FILE).open("a", encoding="utf-8") as file,
    ):
        file.write(line + "\n")


def read(directory: Path) -> list[dict[str, Any]]:
    """Return what happened to components: `wall_s` (since the epoch), `component`, `what` (in French)."""
    try:
        text = (directory / _INCIDENTS_FILE).read_text(encoding="utf-8")
    except FileNotFoundError:
        return []
    return [json.loads(line) for line in text.splitlines()]
