"""Programs' streams: the pipes or terminal of a container, of a command in it, of those attached to it."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Mapping
from typing import TYPE_CHECKING

from . import pipes
from .logs import Pump
from .spawner_link import Child, SpawnerLink

if TYPE_CHECKING:
    from .container import ProcessContainer


class Streams:
    """The two ends of a program's input and outputs.

    Attributes
    ----------
    child : list of int
        Descriptors 0, 1, 2 of the program.
    stdin : int or None
        Our end of its input.
    outputs : dict
        Our ends of its outputs by name (one, `stdout`, with a terminal).
    terminal : int or None
        The terminal's master, where there is one.
    """

    def __init__(self) -> None:
        self.child: list[int] = []
        self.stdin: int | None = None
        self.outputs: dict[str, int] = {}
        self.terminal: int | None = None

    @classmethod
    def open(cls, *, stdin: bool, tty: bool) -> Streams:
        """Open pipes, or a terminal."""
        streams = cls()
        if tty:
            master, slave = os.openpty()
            os.set_inheritable(slave, False)
            streams.terminal = master
            streams.child = [slave] * 3
            streams.outputs["stdout"] = os.dup(master)
            if stdin:
                streams.stdin = os.dup(master)
            return streams
        if stdin:
            reading, streams.stdin = os.pipe()
        else:
            reading = os.open(os.devnull, os.O_RDONLY)
        streams.child.append(reading)
        for name in ("stdout", "stderr"):
            ours, theirs = os.pipe()
            streams.outputs[name] = ours
            streams.child.append(theirs)
        return streams

    def close_childs(self) -> None:
        """Close the program's ends, once it has them."""
        for descriptor in set(self.child):
            os.close(descriptor)
        self.child = []

    def close_ours(self) -> None:
        """Close our ends, where no program came of it."""
        for descriptor in (self.stdin, self.terminal, *self.outputs.values()):
            if descriptor is not None:
                os.close(descriptor)


class Execution:
    """A command that runs in a container (see `cri.ExecProcess`)."""

    def __init__(self, link: SpawnerLink, child: Child, terminal: int | None) -> None:
        self.stdin: asyncio.StreamWriter | None = None
        self.stdout: asyncio.StreamReader
        self.stderr: asyncio.StreamReader | None = None
        self._link = link
        self._child = child
        self._terminal = terminal
        child.ended.add_done_callback(lambda _: self._close())

    @classmethod
    async def make(cls, link: SpawnerLink, child: Child, streams: Streams) -> Execution:
        """Wrap our ends of a command's streams."""
        execution = cls(link, child, streams.terminal)
        execution.stdout = pipes.reader(streams.outputs["stdout"])
        if "stderr" in streams.outputs:
            execution.stderr = pipes.reader(streams.outputs["stderr"])
        if streams.stdin is not None:
            execution.stdin = await pipes.writer(streams.stdin)
        return execution

    async def wait(self) -> int:
        """Return the exit code (128 + signal)."""
        return (await self._child.wait()).exit_code

    def kill(self) -> None:
        """Kill the command and its process group."""
        self._link.signal(self._child.pid, signal.SIGKILL, group=True)

    def resize(self, columns: int, rows: int) -> None:
        """Set the terminal's size."""
        if self._terminal is not None:
            pipes.resize(self._terminal, columns, rows)

    def _close(self) -> None:
        if self.stdin is not None:
            self.stdin.close()
        if self._terminal is not None:
            os.close(self._terminal)
            self._terminal = None


class Attachment:
    """The main process's own streams (see `cri.ExecProcess`); `kill` lets go of them, not of the container."""

    def __init__(
        self,
        container: ProcessContainer,
        stdin: asyncio.StreamWriter | None,
        pumps: Mapping[str, Pump],
        terminal: int | None,
    ) -> None:
        self._container = container
        self._pumps = pumps
        self._terminal = terminal
        self.stdin = stdin
        self.stdout = pumps["stdout"].listen()
        self.stderr = pumps["stderr"].listen() if "stderr" in pumps else None

    async def wait(self) -> int:
        """Return the container's exit code."""
        return (await self._container.wait()).exit_code

    def kill(self) -> None:
        """Let go of the streams."""
        self._pumps["stdout"].forget(self.stdout)
        if self.stderr is not None:
            self._pumps["stderr"].forget(self.stderr)

    def resize(self, columns: int, rows: int) -> None:
        """Set the terminal's size."""
        if self._terminal is not None and self._container.running():
            pipes.resize(self._terminal, columns, rows)
