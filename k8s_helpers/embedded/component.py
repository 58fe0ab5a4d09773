"""One process of the cluster under the supervisor's eye: started, watched by pidfd, brought back, stopped."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from .._run import CommandError, spawn
from .config import ClusterConfig
from .control_plane import ComponentSpec

SHORT_LIFE_S = 5.0
"""A process that dies younger than this has a problem that a restart may not solve."""

SHORT_LIVES = 5
"""After that many short lives in a row, the component is given up."""

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


class Component:
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
    """

    def __init__(
        self,
        spec: ComponentSpec,
        config: ClusterConfig,
        *,
        on_incident: Callable[[Component, str], None],
        on_given_up: Callable[[Component, str], None],
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

    def _signal(self, number: signal.Signals) -> None:
        if self._pidfd is not None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._pidfd, number)

    def _launch(self) -> None:
        self._timer = None
        if self.log.exists() and self.log.stat().st_size > _LOG_LIMIT_BYTES:
            self.log.replace(self.log.with_suffix(".log.1"))
        try:
            self._process = spawn(self.spec.argv, log=self.log, env=self.spec.env)
        except (OSError, CommandError) as error:  # its program is gone, no memory, no descriptor …
            self.wanted = False
            reason = error.found if isinstance(error, CommandError) else error
            self._on_given_up(self, f"ne peut pas être lancé ({reason})")
            return
        self._started_s = time.monotonic()
        self._pidfd = os.pidfd_open(self._process.pid)
        self._gone.clear()
        asyncio.get_running_loop().add_reader(self._pidfd, self._ended)

    def _ended(self) -> None:
        assert self._process is not None and self._pidfd is not None
        asyncio.get_running_loop().remove_reader(self._pidfd)
        os.close(self._pidfd)
        how = describe_exit(self._process.wait())
        self._process = self._pidfd = None
        self._gone.set()
        if self.wanted:
            self._bring_back(how)

    def _bring_back(self, how: str) -> None:
        lived_s = time.monotonic() - self._started_s
        self._short_lives = self._short_lives + 1 if lived_s < SHORT_LIFE_S else 0
        if self._short_lives >= SHORT_LIVES:
            self.wanted = False
            self._on_given_up(self, f"{how}, {SHORT_LIVES} fois de suite")
            return
        delay_s = restart_delay_s(self._short_lives)
        self.restarts += 1
        self._on_incident(self, f"{how}, relancé après {delay_s:.2f} s".replace(".", ","))
        self._timer = asyncio.get_running_loop().call_later(delay_s, self._launch)
