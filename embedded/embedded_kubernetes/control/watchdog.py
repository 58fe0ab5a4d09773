"""When a process that lives counts as one that hangs: it has given no sign for long, or is stopped by a signal.

Only time in which the watcher itself ran counts, and in which the watched process could have run: a laptop whose lid
was closed, a machine that everybody wants, are no hang. All clocks are monotonic.
(source: `man 5 proc_pid_stat`, `Documentation/scheduler/sched-stats.rst`)
"""

from __future__ import annotations

from pathlib import Path

TICK_S = 0.5
"""How often a watcher looks."""

LATE_S = 4.0
"""A silence that is shown: an event loop of a busy machine may be late by a few seconds."""

HUNG_S = 9.0
"""A silence after which a process is killed and started again."""

STOPPED_SHOWN_S, STOPPED_S = 1.5, 5.0
"""The same for a process that a signal has stopped (SIGSTOP): it would not wake up by itself."""

_WORKING_SHARE = 0.2
"""A process that gets this part of a processor is not starved, whatever else waits for it."""


class Watchdog:
    """What is known of one life of a process.

    Attributes
    ----------
    silent_s : float
        Since its last sign of life; 0 before the first one, as a start may take long.
    stopped_s : float
        Since it has been seen stopped by a signal; 0 where it is not.
    """

    def __init__(self) -> None:
        self.silent_s = 0.0
        self.stopped_s = 0.0
        self._heard = False
        self._starvation = Starvation()

    def heard(self) -> None:
        """Note a sign of life."""
        self._heard = True
        self.silent_s = 0.0

    def look(self, pid: int, elapsed_s: float) -> None:
        """Look at the process, `elapsed_s` seconds after the last time."""
        starved_s = 0.0
        if self.silent_s < LATE_S / 2:  # its threads are worth a look only then
            self._starvation = Starvation()
        else:
            starved_s = self._starvation.since_last_s(pid, elapsed_s)
        self.tick(elapsed_s, stopped=is_stopped(pid), starved_s=starved_s)

    def tick(self, elapsed_s: float, *, stopped: bool, starved_s: float = 0.0) -> None:
        """Count the time since the last tick.

        Parameters
        ----------
        elapsed_s : float
            That time, on the watcher's clock: of a longer one than two ticks the watcher slept the rest itself.
        stopped : bool
            Whether the process is stopped by a signal.
        starved_s : float
            For how much of it the process waited for a processor.
        """
        counted_s = min(elapsed_s, 2 * TICK_S)
        if self._heard:
            self.silent_s += max(0.0, counted_s - starved_s)
        self.stopped_s = self.stopped_s + counted_s if stopped else 0.0

    @property
    def late(self) -> bool:
        """Whether the silence is to be shown."""
        return self.silent_s >= LATE_S or self.stopped_s >= STOPPED_SHOWN_S

    @property
    def hung(self) -> bool:
        """Whether it is to be killed."""
        return self.silent_s >= HUNG_S or self.stopped_s >= STOPPED_S

    def words(self) -> str:
        """Say in French what is wrong; "" where nothing is."""
        if not self.late:
            return ""
        if self.stopped_s:
            return f"suspendu par un signal depuis {self.stopped_s:.0f} s"
        return f"ne répond plus depuis {self.silent_s:.0f} s"


class Starvation:
    """For how long one process waited for a processor between two looks, from its threads' scheduler statistics."""

    def __init__(self) -> None:
        self._before: dict[str, tuple[int, int]] = {}

    def since_last_s(self, pid: int, elapsed_s: float) -> float:
        """Return the wait of the thread that waited longest; 0 where the process ran all the same, or none is told."""
        now = _schedules(pid)
        used_ns = waited_ns = 0
        for thread, (ran, waited) in now.items():
            ran_before, waited_before = self._before.get(thread, (ran, waited))
            used_ns += ran - ran_before
            waited_ns = max(waited_ns, waited - waited_before)
        self._before = now
        return 0.0 if used_ns > _WORKING_SHARE * elapsed_s * 1e9 else waited_ns / 1e9


def _schedules(pid: int) -> dict[str, tuple[int, int]]:
    """Return for each thread the nanoseconds that it ran and that it waited for a processor."""
    schedules = {}
    try:
        for thread in Path(f"/proc/{pid}/task").iterdir():
            ran, waited, _ = (thread / "schedstat").read_text().split()
            schedules[thread.name] = int(ran), int(waited)
    except (OSError, ValueError):
        pass  # it ends, or this kernel keeps no such statistics
    return schedules


def is_stopped(pid: int) -> bool:
    """Return whether a signal has stopped a process (a debugger that holds it does not count)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"
    except (OSError, IndexError):
        return False
