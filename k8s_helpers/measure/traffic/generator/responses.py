"""One answer of HTTP/1.x, read from its bytes as they come. Pure.

Source: https://www.rfc-editor.org/rfc/rfc9112
"""

from __future__ import annotations

import re

_HEAD_END = re.compile(rb"\r?\n\r?\n")
_STATUS_LINE = re.compile(rb"HTTP/1\.([01]) (\d{3})(?: [^\r\n]*)?")
_NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\r\n]*)?")
_BEGINNING = b"HTTP/1."
_LONGEST_HEAD = 64 * 1024
_WITHOUT_BODY = (204, 304)


class MalformedError(ValueError):
    """What came is no HTTP/1.x answer."""


class Response:
    """What a server answers to one request.

    Parameters
    ----------
    method : str
        Of the request: an answer to HEAD has no body, nor has one to CONNECT that opens a tunnel.
    keep : bool
        Keep the body; otherwise its bytes are only counted off.

    Attributes
    ----------
    status : int
        0 until the head has come.
    headers : dict
        By name in lower case, as bytes; those of one name are joined by a comma.
    body : bytearray
        What has come of it so far, where it is kept.
    complete : bool
        Nothing more belongs to it.
    reusable : bool
        Once complete: whether the connection can take another request.
    """

    __slots__ = (
        "_bare",
        "_buffer",
        "_keep",
        "_left",
        "_mode",
        "body",
        "complete",
        "headers",
        "reusable",
        "status",
    )

    def __init__(self, method: str, keep: bool = False) -> None:
        self.status = 0
        self.headers: dict[bytes, bytes] = {}
        self.body = bytearray()
        self.complete = False
        self.reusable = False
        self._bare = method
        self._keep = keep
        self._buffer = b""
        self._left = 0
        """Bytes still to come: of the body, or of the chunk."""
        self._mode = self._head

    def feed(self, data: bytes) -> bool:
        """Take bytes; return whether the answer is complete.

        Raises
        ------
        MalformedError
            They are no answer.
        """
        self._buffer = self._buffer + data if self._buffer else data
        while not self.complete and self._mode():
            pass
        if self.complete and self._buffer:
            self.reusable = False  # nobody asked for what follows
        return self.complete

    def end(self) -> bool:
        """Take note that no more bytes come; return whether the answer is complete."""
        if self._mode == self._until_end:
            self.complete = True
        return self.complete

    # --- each mode takes what it can of the buffer, and returns whether another look is worth it

    def _head(self) -> bool:
        buffer = self._buffer
        if not _BEGINNING.startswith(buffer[: len(_BEGINNING)]):
            raise MalformedError("no status line")
        found = _HEAD_END.search(buffer)
        if found is None:
            if len(buffer) > _LONGEST_HEAD:
                raise MalformedError("a head without end")
            return False
        self._buffer = buffer[found.end() :]
        line, *fields = buffer[: found.start()].split(b"\n")
        status = _STATUS_LINE.fullmatch(line.rstrip(b"\r"))
        if status is None:
            raise MalformedError("no status line")
        code = int(status[2])
        headers = _fields(fields)
        if 100 <= code < 200 and code != 101:
            return True  # the answer itself is still to come
        self._frame(code, headers, kept_by_default=status[1] == b"1")
        self.status, self.headers = code, headers
        return True

    def _frame(self, status: int, headers: dict[bytes, bytes], *, kept_by_default: bool) -> None:
        """Find out how the body ends (RFC 9112, 6.3)."""
        options = headers.get(b"connection", b"").lower()
        self.reusable = b"close" not in options if kept_by_default else b"keep-alive" in options
        coding = headers.get(b"transfer-encoding", b"").lower()
        length = headers.get(b"content-length")
        tunnel = self._bare == "CONNECT" and 200 <= status < 300
        if self._bare == "HEAD" or status in _WITHOUT_BODY or status == 101 or tunnel:
            self.complete = True
        elif coding:
            if length is not None:
                raise MalformedError("both a length and chunks")
            chunked = coding.rpartition(b",")[2].strip() == b"chunked"
            self._go(self._chunk_size if chunked else self._until_end)
        elif length is not None:
            self._left = _length(length)
            self._go(self._fixed)
        else:
            self._go(self._until_end)

    def _go(self, mode: object) -> None:
        self._mode = mode  # type: ignore[assignment]
        if mode == self._until_end:
            self.reusable = False

    def _take(self, data: bytes) -> None:
        if self._keep:
            self.body += data

    def _some(self) -> None:
        """Take what is there of the bytes that are still to come."""
        part = self._buffer[: self._left]
        self._buffer = self._buffer[len(part) :]
        self._left -= len(part)
        self._take(part)

    def _fixed(self) -> bool:
        self._some()
        self.complete = self._left == 0
        return False

    def _until_end(self) -> bool:
        self._take(self._buffer)
        self._buffer = b""
        return False

    def _line(self) -> bytes | None:
        line, newline, rest = self._buffer.partition(b"\n")
        if not newline:
            if len(line) > _LONGEST_HEAD:
                raise MalformedError("a line without end")
            return None
        self._buffer = rest
        return line[:-1] if line.endswith(b"\r") else line

    def _chunk_size(self) -> bool:
        line = self._line()
        if line is None:
            return False
        found = _CHUNK.fullmatch(line)
        if found is None:
            raise MalformedError("no size of a chunk")
        self._left = int(found[1], 16)
        self._go(self._chunk if self._left else self._trailer)
        return True

    def _chunk(self) -> bool:
        self._some()
        if self._left:
            return False
        self._go(self._chunk_end)
        return True

    def _chunk_end(self) -> bool:
        line = self._line()
        if line:
            raise MalformedError("a chunk longer than its size")
        if line is None:
            return False
        self._go(self._chunk_size)
        return True

    def _trailer(self) -> bool:
        line = self._line()
        if line == b"":
            self.complete = True
        return bool(line)


def _fields(lines: list[bytes]) -> dict[bytes, bytes]:
    headers: dict[bytes, bytes] = {}
    for line in lines:
        name, colon, value = line.partition(b":")
        if not colon or _NAME.fullmatch(name) is None:
            raise MalformedError("no header")
        name, value = name.lower(), value.strip()
        headers[name] = headers[name] + b", " + value if name in headers else value
    return headers


def _length(value: bytes) -> int:
    """Return a body's length; the same one said several times is one."""
    lengths = {item.strip() for item in value.split(b",")}
    (length,) = lengths if len(lengths) == 1 else (b"",)
    if not length.isdigit():
        raise MalformedError("no length")
    return int(length)
