"""Container logs: what programs write becomes lines of a file, as a container runtime stores them.

The format is the CRI's: `2026-01-01T00:00:00.000000000Z stdout F text` with `P` instead of `F` for a piece of
a line (`kubernetes/design-proposals-archive`, node/kubelet-cri-logging.md).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from pathlib import Path
from typing import Literal

Stream = Literal["stdout", "stderr"]

LONGEST_LINE_BYTES = 16 * 1024
"""A longer line is stored in pieces."""

ROTATE_BYTES = 10 * 1024 * 1024
"""The kubelet's `containerLogMaxSize`."""

_READ_BYTES = 64 * 1024
_LONG_S = 0.005
_REST = 3
"""A stream whose lines take longer than `_LONG_S` to store rests for this many times as long."""


def rotated(path: Path) -> Path:
    """Return where the log's older part lies once it has grown too long."""
    return path.with_name(path.name + ".1")


class LogFile:
    """One container's log.

    Parameters
    ----------
    path : Path
        The file; the older part goes to `rotated(path)`, and what was there is dropped.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._pieces: dict[Stream, bytes] = {"stdout": b"", "stderr": b""}
        path.parent.mkdir(parents=True, exist_ok=True)
        self._open()

    def _open(self) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        self._descriptor = os.open(self.path, flags, 0o600)
        self._size = os.fstat(self._descriptor).st_size

    def write(self, stream: Stream, data: bytes) -> None:
        """Store what a stream brought; an unfinished line waits for its end."""
        *lines, piece = (self._pieces[stream] + data).split(b"\n")
        self._pieces[stream] = b""
        head = timestamp(time.time_ns()) + b" " + stream.encode()
        entries = []
        for line in lines:
            entries += _pieces(head, line)
        if len(piece) >= LONGEST_LINE_BYTES:
            cut = len(piece) - len(piece) % LONGEST_LINE_BYTES
            for start in range(0, cut, LONGEST_LINE_BYTES):
                entries.append(head + b" P " + piece[start : start + LONGEST_LINE_BYTES] + b"\n")
            piece = piece[cut:]
        self._pieces[stream] = piece
        self._append(b"".join(entries))

    def close(self) -> None:
        """Store unfinished lines as such and close the file."""
        now = timestamp(time.time_ns())
        for stream, piece in self._pieces.items():
            if piece:
                self._append(now + b" " + stream.encode() + b" P " + piece + b"\n")
        os.close(self._descriptor)

    def _append(self, data: bytes) -> None:
        if not data:
            return
        if self._size and self._size + len(data) > ROTATE_BYTES:
            os.close(self._descriptor)
            with contextlib.suppress(FileNotFoundError):
                self.path.rename(rotated(self.path))
            self._open()
        # A full disk loses lines, not containers.
        with contextlib.suppress(OSError):
            self._size += os.write(self._descriptor, data)


def timestamp(wall_ns: int) -> bytes:
    """Return an instant as RFC 3339 with nanoseconds, in UTC."""
    seconds, rest = divmod(wall_ns, 1_000_000_000)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)).encode() + b".%09dZ" % rest


def _pieces(head: bytes, line: bytes) -> list[bytes]:
    last = max(0, len(line) - 1) // LONGEST_LINE_BYTES * LONGEST_LINE_BYTES
    pieces = [
        head + b" P " + line[start : start + LONGEST_LINE_BYTES] + b"\n"
        for start in range(0, last, LONGEST_LINE_BYTES)
    ]
    return [*pieces, head + b" F " + line[last:] + b"\n"]


class Pump:
    """Carries one stream of a container into its log and to those attached to it.

    Parameters
    ----------
    descriptor : int
        The reading end (pipe or terminal), closed by the pump.
    stream : str
        What the log calls it.
    log : LogFile
        Where it goes.
    """

    def __init__(self, descriptor: int, stream: Stream, log: LogFile) -> None:
        self._descriptor = descriptor
        self._stream = stream
        self._log = log
        self._listeners: list[asyncio.StreamReader] = []
        self._loop = asyncio.get_running_loop()
        self.ended = asyncio.Event()
        os.set_blocking(descriptor, False)
        self._loop.add_reader(descriptor, self._carry)

    def listen(self) -> asyncio.StreamReader:
        """Return what the stream brings from now on."""
        reader = asyncio.StreamReader()
        if self.ended.is_set():
            reader.feed_eof()
        else:
            self._listeners.append(reader)
        return reader

    def forget(self, reader: asyncio.StreamReader) -> None:
        """Stop feeding a reader."""
        if reader in self._listeners:
            self._listeners.remove(reader)
            reader.feed_eof()

    def close(self) -> None:
        """Stop reading, whether or not the other end is closed."""
        if self.ended.is_set():
            return
        self._loop.remove_reader(self._descriptor)
        os.close(self._descriptor)
        self.ended.set()
        for reader in self._listeners:
            reader.feed_eof()
        self._listeners.clear()

    def _carry(self) -> None:
        try:
            data = os.read(self._descriptor, _READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""  # a terminal whose last process ended
        if not data:
            self.close()
            return
        began = time.monotonic()
        self._log.write(self._stream, data)
        for reader in self._listeners:
            reader.feed_data(data)
        spent_s = time.monotonic() - began
        if spent_s > _LONG_S:
            # A program that floods its log waits, so that the node has time for the others.
            self._loop.remove_reader(self._descriptor)
            self._loop.call_later(_REST * spent_s, self._resume)

    def _resume(self) -> None:
        if not self.ended.is_set():
            self._loop.add_reader(self._descriptor, self._carry)
