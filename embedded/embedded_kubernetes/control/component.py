"""One process of the cluster under the supervisor's eye: started, watched, brought back, stopped.

Its end is seen by its pidfd. That it hangs is seen by its signs of life (see `watchdog`): a node's heartbeat, a
server's answers, and for any process whether a signal has stopped it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..config import ClusterConfig
from ..processes import CommandError, spawn
from . import heartbeat
from .control_plane import ComponentSpec
from .watchdog import Watchdog

SHORT_LIFE_S = 5.0
"""A process that dies younger than this has a problem that a restart may not solve."""

SHORT_LIVES = 5
"""After that many short lives in a row, the component is given up."""

HUNG_LIFE_S = 60.0
"""The same for one that hangs: it must have given a sign of life, and been silent for long."""

_LAST_WORDS_S = 0.5
"""What a node has to write where its threads are, before it is killed."""

_FIRST_DELAY_S, _LONGEST_DELAY_S = 0.05, 2.0
_LOG_LIMIT_BYTES = 8 * 1024 * 1024


def restart_delay_s(short_lives: int) -> float:
    """Return the pause before the next start, after that many short lives in a row."""
    return min(_FIRST_DELAY_S * 2.0**short_lives, _LONGEST_DELAY_S)


def describe_exit(returncode: int) -> str:
    """Say in French how a process ended, from `Popen.returncode`."""
    if returncode < 0:
        try:
            name = signal.Signals(-returncode).name
        except ValueError:
            name = "?"
        return f"tué par le signal {-returncode} ({name})"
    return f"terminé avec le code {returncode}"


class ComponentProcess:
    """A process that the supervisor keeps alive.

    Parameters
    ----------
    spec : ComponentSpec
        What to start.
    config : ClusterConfig
        Where its log goes.
    on_incident : callable
        Called with the component and what happened to it, in French.
    on_given_up : callable
        Called with the component and what happened, when it dies again and again.
    beats : bool
        Whether it takes `--heartbeat-fd` and beats there.

    Attributes
    ----------
    watchdog : Watchdog
        Of its present life.
    beat : dict
        What its last heartbeat said.
    """

    def __init__(
        self,
        spec: ComponentSpec,
        config: ClusterConfig,
        *,
        on_incident: Callable[[ComponentProcess, str], None],
        on_given_up: Callable[[ComponentProcess, str], None],
        beats: bool = False,
    ) -> None:
        self.spec = spec
        self.log: Path = spec.log(config)
        self.wanted = True
        self.restarts = 0
        self._on_incident = on_incident
        self._on_given_up = on_given_up
        self._process: subprocess.Popen[bytes] | None = None
        self._pidfd: int | None = None
        self._started_s = 0.0
        self._short_lives = 0
        self._timer: asyncio.TimerHandle | None = None
        self._gone = asyncio.Event()
        self._gone.set()
        self._beats = beats
        self._pulse: heartbeat.Pulse | None = None
        self._hung = ""
        self.watchdog = Watchdog()
        self.beat: dict[str, Any] = {}

    @property
    def pid(self) -> int | None:
        """Its process id; None where it does not run."""
        return self._process.pid if self._process is not None else None

    def start(self) -> None:
        """Start it, unless it runs already; it is brought back until `stop`."""
        self.wanted = True
        self._short_lives = 0
        if self._process is None and self._timer is None:
            self._launch()

    async def stop(self, grace_s: float) -> None:
        """End it with SIGTERM, then SIGKILL after `grace_s` seconds; it is not brought back."""
        self.wanted = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(self._gone.wait(), grace_s)
        except TimeoutError:
            self._signal(signal.SIGKILL)
            await self._gone.wait()

    def look(self, elapsed_s: float) -> None:
        """See whether it still works, `elapsed_s` seconds after the last look; bring it back where it hangs."""
        pid = self.pid
        if pid is None or self._hung or not self.wanted:
            return
        self.watchdog.look(pid, elapsed_s)
        if not self.watchdog.hung:
            return
        self._hung = self.watchdog.words()
        stopped = self.watchdog.stopped_s > 0
        if self._beats and not stopped:
            self._signal(signal.SIGUSR1)  # it writes where its threads are
        delay_s = 0.0 if stopped else _LAST_WORDS_S
        descriptor = self._pidfd
        asyncio.get_running_loop().call_later(delay_s, self._kill_life, descriptor)

    def _kill_life(self, pidfd: int | None) -> None:
        if self._hung and pidfd == self._pidfd:
            self._signal(signal.SIGKILL)

    def trouble(self) -> str:
        """Say in French that it does not answer; "" where it does."""
        if self.pid is None:
            return ""
        return self._hung or self.watchdog.words()

    def _take_beat(self, said: dict[str, Any]) -> None:
        self.watchdog.heard()
        incident = said.pop("incident", None)
        self.beat = said
        if incident:
            self._on_incident(self, str(incident))

    def _signal(self, number: signal.Signals) -> None:
        if self._pidfd is not None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._pidfd, number)

    def _launch(self) -> None:
        self._timer = None
        if self.log.exists() and self.log.stat().st_size > _LOG_LIMIT_BYTES:
            self.log.replace(self.log.with_suffix(".log.1"))
        ends = heartbeat.open_pipe() if self._beats else ()
        passed = ends[1:]
        argv = [*self.spec.argv, *(word for end in passed for word in ("--heartbeat-fd", str(end)))]
        try:
            self._process = spawn(argv, log=self.log, env=self.spec.env, pass_fds=passed)
        except (OSError, CommandError) as error:  # its program is gone, no memory, no descriptor …
            self.wanted = False
            reason = error.found if isinstance(error, CommandError) else error
            for end in ends:
                os.close(end)
            self._on_given_up(self, f"ne peut pas être lancé ({reason})")
            return
        if ends:
            os.close(ends[1])
            self._pulse = heartbeat.Pulse(ends[0], self._take_beat)
        self._hung, self.watchdog = "", Watchdog()
        self._started_s = time.monotonic()
        self._pidfd = os.pidfd_open(self._process.pid)
        self._gone.clear()
        asyncio.get_running_loop().add_reader(self._pidfd, self._ended)

    def _ended(self) -> None:
        assert self._process is not None and self._pidfd is not None
        asyncio.get_running_loop().remove_reader(self._pidfd)
        os.close(self._pidfd)
        code = self._process.wait()
        self._process = self._pidfd = None
        if self._pulse is not None:
            self._pulse.close()
            self._pulse = None
        self._gone.set()
        if self.wanted and code == os.EX_CONFIG:
            self.wanted = False
            last = self.log.read_text(errors="replace").splitlines()[-1:]
            self._on_given_up(self, " : ".join(("ne peut plus vivre sur cette machine", *last)))
        elif self.wanted:
            self._bring_back(describe_exit(code))

    def _bring_back(self, how: str) -> None:
        lived_s = time.monotonic() - self._started_s
        short_s = HUNG_LIFE_S if self._hung else SHORT_LIFE_S
        self._short_lives = self._short_lives + 1 if lived_s < short_s else 0
        if self._hung:
            how = f"{self._hung}, tué par le superviseur"
        if self._short_lives >= SHORT_LIVES:
            self.wanted = False
            self._on_given_up(self, f"{how}, {SHORT_LIVES} fois de suite")
            return
        delay_s = restart_delay_s(self._short_lives)
        self.restarts += 1
        self._on_incident(self, f"{how}, relancé après {delay_s:.2f} s".replace(".", ","))
        self._timer = asyncio.get_running_loop().call_later(delay_s, self._launch)
