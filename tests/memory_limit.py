"""A pytest plugin (`-p memory_limit`): everything that the run starts, and pytest itself, stays below a limit.

    K8S_TESTS_MEMORY_BYTES   the limit; nothing is measured without it

The measure is the sum of the processes' proportional set sizes (`Pss` of `/proc/PID/smaps_rollup`: a page that several
of them share counts once), which is what a container's limit would see of them apart from the file cache.
"""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

import leftovers
import pytest

PERIOD_S = 1.0
VARIABLE = "K8S_TESTS_MEMORY_BYTES"
TOO_MUCH = 9
"""Exit code of a run that took more; another one than pytest's own."""


def shared_out_bytes(pid: int) -> int:
    """Return a process's proportional set size; 0 where it has ended."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in text.splitlines() if line[:4] == "Pss:")


class Measure:
    """Adds up again and again, until it is stopped.

    Attributes
    ----------
    most_bytes : int
        The largest sum.
    parts : list of (int, str)
        Bytes and command of each process then, the largest first.
    """

    def __init__(self, marker: Path) -> None:
        self.most_bytes = 0
        self.parts: list[tuple[int, str]] = []
        self._marker = marker
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def _work(self) -> None:
        while not self._over.wait(PERIOD_S):
            self.look()

    def look(self) -> None:
        """Add up once."""
        pids = {os.getpid(): "pytest"} | leftovers.marked(self._marker)
        parts = [(shared_out_bytes(pid), command) for pid, command in pids.items()]
        total = sum(size for size, _ in parts)
        if total > self.most_bytes:
            self.most_bytes, self.parts = total, sorted(parts, reverse=True)

    def stop(self) -> None:
        """Add up for the last time: a run may be shorter than the period."""
        self._over.set()
        self._thread.join()
        self.look()


_MEASURE = pytest.StashKey[Measure]()


@pytest.hookimpl(trylast=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Begin once the run has its home."""
    if VARIABLE in os.environ:
        session.config.stash[_MEASURE] = Measure(Path(os.environ["K8S_HELPERS_HOME"]))


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Tell the most that was taken, and fail the run where it is too much."""
    measure = session.config.stash.get(_MEASURE, None)
    if measure is None:
        return
    measure.stop()
    limit = int(os.environ[VARIABLE])
    print(f"\nMEMORY: {measure.most_bytes // 10**6} MB of {limit // 10**6} MB")
    if measure.most_bytes > limit:
        for size, command in measure.parts[:12]:
            print(f"  {size // 10**6:5} MB  {command[:100]}", file=sys.stderr)
        if session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = TOO_MUCH
