"""The cluster in use: the last one that was started, so that the next command or kernel means the same one."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

from .. import _paths
from .._files import write_whole
from .base import Provider


def _file() -> Path:
    return _paths.state_dir() / "current.json"


def remember(provider: Provider) -> None:
    """Make this cluster the one that is meant where none is named."""
    write_whole(_file(), json.dumps({"provider": provider.kind, "name": provider.name}))


def recall() -> tuple[str, str] | None:
    """Return the provider and the name of the cluster in use; None where there is none."""
    try:
        plain = json.loads(_file().read_text())
        return str(plain["provider"]), str(plain["name"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def forget(provider: Provider) -> None:
    """Take back `remember`, where it is this cluster that is in use."""
    if recall() == (provider.kind, provider.name):
        with contextlib.suppress(FileNotFoundError):
            _file().unlink()
