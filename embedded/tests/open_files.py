"""What a test leaves open fails that very test, not the one that runs when it is collected.

A file, a socket or a transport that nobody closes is told by a `ResourceWarning` as it is collected; collecting after
each of some thousand tests would take minutes. So it is done only after a test that leaves more open than it found.
"""

from __future__ import annotations

import contextlib
import gc
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

SETTLED_S = 5.0
"""How long the thread of a test's server may take to see that its client has gone."""


def open_files() -> dict[str, str]:
    """Return the descriptors of this process, each with what it leads to ("socket:[1234]")."""
    found = {}
    for name in list(Path("/proc/self/fd").iterdir()):
        with contextlib.suppress(FileNotFoundError):  # that of the listing itself
            found[name.name] = str(name.readlink())
    return found


def left_open(before: dict[str, str]) -> list[str]:
    """Return what is open now and was not `before`; what is only waiting to be collected goes first, and warns."""
    if open_files().items() <= before.items():
        return []
    gc.collect()
    return sorted(target for name, target in open_files().items() - before.items())


@pytest.fixture(autouse=True)
def nothing_left_open() -> Iterator[None]:
    """Fail the test that leaves a socket or a pipe open."""
    before = open_files()
    yield
    end_s = time.monotonic() + SETTLED_S
    while left := _left(before):
        assert time.monotonic() < end_s, f"left open: {left}"
        time.sleep(0.02)


def _left(before: dict[str, str]) -> list[str]:
    return [target for target in left_open(before) if target.startswith(("socket:", "pipe:"))]
