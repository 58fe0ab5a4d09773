"""Reads the CRI log file of a container as `kubectl logs` asks for it.

A line of the file is `TIME STREAM TAG TEXT`, TAG `P` where the program's own line goes on in the next one, `F` where it
ends there. (source: `k8s.io/cri-client/pkg/logs`)
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

_BLOCK_BYTES = 256 * 1024
_POLL_S = 0.1


@dataclass(frozen=True)
class LogOptions:
    """What a reader of a log asks for (`PodLogOptions`)."""

    follow: bool = False
    previous: bool = False
    timestamps: bool = False
    tail_lines: int | None = None
    limit_bytes: int | None = None
    since: str | None = None
    """Nothing before this time: RFC 3339 in UTC with nine digits, as in the file."""
    stream: bytes | None = None
    """`stdout`, `stderr`, or None for both."""

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> LogOptions:
        """Read the parameters of `/containerLogs`.

        Raises
        ------
        ValueError
            A parameter that makes no sense.
        """
        stream = query.get("stream") or "All"
        if stream not in ("All", "Stdout", "Stderr"):
            raise ValueError(f"invalid stream {stream!r}")
        return cls(
            follow=_truth(query, "follow"),
            previous=_truth(query, "previous"),
            timestamps=_truth(query, "timestamps"),
            tail_lines=_number(query, "tailLines", 0),
            limit_bytes=_number(query, "limitBytes", 1),
            since=_since(query),
            stream=None if stream == "All" else stream.lower().encode(),
        )


def _truth(query: Mapping[str, str], name: str) -> bool:
    return query.get(name, "").lower() in ("1", "t", "true")


def _number(query: Mapping[str, str], name: str, least: int) -> int | None:
    if not query.get(name):
        return None
    number = int(query[name])
    if number < least:
        raise ValueError(f"{name} must be at least {least}")
    return number


def _since(query: Mapping[str, str]) -> str | None:
    if query.get("sinceTime"):
        moment = datetime.fromisoformat(query["sinceTime"]).timestamp()
    elif query.get("sinceSeconds"):
        moment = time.time() - int(query["sinceSeconds"])
    else:
        return None
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f000Z")


class LineFormatter:
    """Turns lines of the file into what the client sees; keeps what a partial line needs."""

    def __init__(self, options: LogOptions) -> None:
        self._timestamps = options.timestamps
        self._since = options.since.encode() if options.since else b""
        self._stream = options.stream
        self._left_bytes = options.limit_bytes
        self._middle = False

    @property
    def full(self) -> bool:
        """Whether the client has all the bytes that it asked for."""
        return self._left_bytes == 0

    def format(self, lines: list[bytes]) -> bytes:
        """Return what the client sees of some whole lines of the file (without their newlines)."""
        out = []
        for line in lines:
            parts = line.split(b" ", 3)
            if len(parts) < 3:
                continue
            moment, stream, tag = parts[:3]
            if moment < self._since or (self._stream and stream != self._stream):
                continue
            text = parts[3] if len(parts) == 4 else b""
            if self._timestamps and not self._middle:
                out.append(moment + b" ")
            out.append(text)
            self._middle = tag.startswith(b"P")
            if not self._middle:
                out.append(b"\n")
        return self._limited(b"".join(out))

    def _limited(self, text: bytes) -> bytes:
        if self._left_bytes is None:
            return text
        text = text[: self._left_bytes]
        self._left_bytes -= len(text)
        return text


def tail_offset(path: Path, lines: int) -> int:
    """Return where the last `lines` whole lines of a file begin, in bytes."""
    with path.open("rb") as file:
        end = file.seek(0, os.SEEK_END)
        if lines == 0:
            return end
        at, missing = end, lines
        while at > 0:
            start = max(0, at - _BLOCK_BYTES)
            file.seek(start)
            block = file.read(at - start)
            if at == end and block.endswith(b"\n"):
                missing += 1
            newlines = block.count(b"\n")
            if newlines >= missing:
                position = len(block)
                for _ in range(missing):
                    position = block.rindex(b"\n", 0, position)
                return start + position + 1
            missing -= newlines
            at = start
        return 0


async def read_log(
    path: Path, options: LogOptions, alive: Callable[[], bool]
) -> AsyncIterator[bytes]:
    """Yield a log in pieces.

    Parameters
    ----------
    path : Path
        The CRI log file.
    options : LogOptions
        What to show of it.
    alive : callable
        Whether more may come: following ends when it says no and all was read.
    """
    formatter = LineFormatter(options)
    rest = b""
    with contextlib.ExitStack() as stack:
        file = path.open("rb")
        stack.callback(lambda: file.close())
        if options.tail_lines is not None:
            file.seek(tail_offset(path, options.tail_lines))
        while not formatter.full:
            # Asked before reading: what is written between the two is read in the next turn.
            more_to_come = options.follow and alive()
            block = file.read(_BLOCK_BYTES)
            if block:
                *lines, rest = (rest + block).split(b"\n")
                if text := formatter.format(lines):
                    yield text
                await asyncio.sleep(0)
            elif _rotated(path, file):
                file.close()
                file = path.open("rb")
            elif more_to_come:
                await asyncio.sleep(_POLL_S)
            else:
                return


def _rotated(path: Path, file: BinaryIO) -> bool:
    """Return whether another file has taken the place of the one that is read."""
    try:
        return path.stat().st_ino != os.fstat(file.fileno()).st_ino
    except FileNotFoundError:
        return False
