"""Streams of commands run in containers: pipes and terminals as asyncio readers and writers."""

from __future__ import annotations

import asyncio
import fcntl
import os
import struct
import termios


class _Source(asyncio.ReadTransport):
    """Feeds a `StreamReader` from a descriptor and waits while the reader is full.

    asyncio's own pipe transport takes the end of a terminal (EIO) for an error.
    """

    def __init__(self, descriptor: int, reader: asyncio.StreamReader) -> None:
        super().__init__()
        self._descriptor = descriptor
        self._reader = reader
        self._loop = asyncio.get_running_loop()
        os.set_blocking(descriptor, False)
        reader.set_transport(self)
        self._open = True
        self.resume_reading()

    def resume_reading(self) -> None:
        if self._open:
            self._loop.add_reader(self._descriptor, self._carry)

    def pause_reading(self) -> None:
        if self._open:
            self._loop.remove_reader(self._descriptor)

    def is_closing(self) -> bool:
        return not self._open

    def close(self) -> None:
        if self._open:
            self._loop.remove_reader(self._descriptor)
            os.close(self._descriptor)
            self._open = False
            self._reader.feed_eof()

    def _carry(self) -> None:
        try:
            data = os.read(self._descriptor, 64 * 1024)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if data:
            self._reader.feed_data(data)
        else:
            self.close()


def reader(descriptor: int) -> asyncio.StreamReader:
    """Return a reader of a descriptor, which it closes at its end."""
    stream = asyncio.StreamReader()
    _Source(descriptor, stream)
    return stream


async def writer(descriptor: int) -> asyncio.StreamWriter:
    """Return a writer to a descriptor, which it closes when it is closed."""
    loop = asyncio.get_running_loop()
    protocol = asyncio.StreamReaderProtocol(asyncio.StreamReader())
    transport, _ = await loop.connect_write_pipe(lambda: protocol, os.fdopen(descriptor, "wb", 0))
    return asyncio.StreamWriter(transport, protocol, None, loop)


def resize(terminal: int, columns: int, rows: int) -> None:
    """Set a terminal's size; its programs get SIGWINCH."""
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
