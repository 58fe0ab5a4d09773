"""SPDY/3.1 framing, as `kubectl port-forward` still speaks it (in its own connection or inside a WebSocket).

A session does no input or output itself: bytes go in by `feed`, bytes to send come out by a function. Flow control by
WINDOW_UPDATE is not needed: Kubernetes' SPDY library neither sends nor obeys it.
(source: the SPDY 3.1 draft; `github.com/moby/spdystream`)
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Mapping

_WORDS = (
    "options head post put delete trace accept accept-charset accept-encoding accept-language accept-ranges age allow "
    "authorization cache-control connection content-base content-encoding content-language content-length "
    "content-location content-md5 content-range content-type date etag expect expires from host if-match "
    "if-modified-since if-none-match if-range if-unmodified-since last-modified location max-forwards pragma "
    "proxy-authenticate proxy-authorization range referer retry-after server te trailer transfer-encoding upgrade "
    "user-agent vary via warning www-authenticate method get status 200_OK version HTTP/1.1 url public set-cookie "
    "keep-alive origin"
)
_TAIL = (
    "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505203 Non-Authoritative "
    "Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized403 Forbidden404 Not Found500 "
    "Internal Server Error501 Not Implemented503 Service UnavailableJan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec "
    "00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMTchunked,text/html,image/png,image/jpg,image/gif,application/xml,"
    "application/xhtml+xml,text/plain,text/javascript,publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset="
    "iso-8859-1,utf-,*,enq=0."
)


def _dictionary() -> bytes:
    words = (word.replace("_", " ").encode() for word in _WORDS.split())
    return b"".join(struct.pack(">I", len(word)) + word for word in words) + _TAIL.encode()


DICTIONARY = _dictionary()
"""What header compression starts from (SPDY/3 draft, 2.6.10.1)."""

SYN_STREAM, SYN_REPLY, RST_STREAM, SETTINGS, PING, GOAWAY, HEADERS, WINDOW_UPDATE = (
    1,
    2,
    3,
    4,
    6,
    7,
    8,
    9,
)
FLAG_FIN = 0x01
RST_PROTOCOL_ERROR, RST_INVALID_STREAM, RST_REFUSED_STREAM, RST_CANCEL = 1, 2, 3, 5

_VERSION = 3
_HEADER_BYTES = 8
_MAX_FRAME_BYTES = 1 << 24
_MAX_DATA_BYTES = 64 * 1024


class SpdyError(Exception):
    """Bytes that are not SPDY/3.1."""


def control_frame(kind: int, flags: int, body: bytes) -> bytes:
    """Return a control frame."""
    return struct.pack(">HHI", 0x8000 | _VERSION, kind, flags << 24 | len(body)) + body


def data_frame(stream_id: int, flags: int, body: bytes) -> bytes:
    """Return a data frame."""
    return struct.pack(">II", stream_id, flags << 24 | len(body)) + body


class HeaderCoder:
    """Compresses and expands header blocks; each direction of a session keeps its own history."""

    def __init__(self) -> None:
        self._deflate = zlib.compressobj(zdict=DICTIONARY)
        self._inflate = zlib.decompressobj(zdict=DICTIONARY)

    def encode(self, headers: Mapping[str, str]) -> bytes:
        """Return the compressed block of some headers."""
        parts = [struct.pack(">I", len(headers))]
        for name, value in headers.items():
            for text in (name.lower().encode(), value.encode()):
                parts += (struct.pack(">I", len(text)), text)
        return self._deflate.compress(b"".join(parts)) + self._deflate.flush(zlib.Z_SYNC_FLUSH)

    def decode(self, block: bytes) -> dict[str, str]:
        """Return the headers of a compressed block, names in lower case.

        Raises
        ------
        SpdyError
            Not a header block.
        """
        try:
            plain = self._inflate.decompress(block, 1 << 20)
            texts = []
            (pairs,) = struct.unpack_from(">I", plain)
            at = 4
            for _ in range(2 * pairs):
                (size,) = struct.unpack_from(">I", plain, at)
                texts.append(plain[at + 4 : at + 4 + size].decode())
                at += 4 + size
        except (zlib.error, struct.error, UnicodeDecodeError) as error:
            raise SpdyError(f"bad header block: {error}") from None
        return dict(zip((name.lower() for name in texts[::2]), texts[1::2], strict=True))


class Stream:
    """One stream of a session.

    Attributes
    ----------
    stream_id : int
        Odd where the client opened it.
    headers : dict
        Its headers, names in lower case.
    on_data : callable
        Gets each piece of data; set it in the session's `on_stream`.
    on_end : callable
        Called once, when the peer will send no more (it said so, reset the stream or left).
    """

    def __init__(self, session: SpdySession, stream_id: int, headers: dict[str, str]) -> None:
        self._session = session
        self.stream_id = stream_id
        self.headers = headers
        self.on_data: Callable[[bytes], None] = lambda data: None
        self.on_end: Callable[[], None] = lambda: None
        self._received_end = False
        self._sent_end = False

    def write(self, data: bytes) -> None:
        """Send data; dropped where this side has ended already."""
        if not self._sent_end:
            for at in range(0, len(data), _MAX_DATA_BYTES):
                self._session.write(data_frame(self.stream_id, 0, data[at : at + _MAX_DATA_BYTES]))

    def end(self) -> None:
        """Say that no more data will come from this side."""
        if not self._sent_end:
            self._sent_end = True
            self._session.write(data_frame(self.stream_id, FLAG_FIN, b""))
            self._session.forget_finished(self)

    def reset(self, status: int = RST_CANCEL) -> None:
        """Drop the stream both ways."""
        if not (self._sent_end and self._received_end):
            self._session.write(
                control_frame(RST_STREAM, 0, struct.pack(">II", self.stream_id, status))
            )
            self._sent_end = True
            self.received_end()

    def received_end(self) -> None:
        """Note that the peer will send no more."""
        if not self._received_end:
            self._received_end = True
            self.on_end()
            self._session.forget_finished(self)

    def received_reset(self) -> None:
        """Note that the peer dropped the stream both ways."""
        self._sent_end = True
        self.received_end()

    @property
    def finished(self) -> bool:
        """Whether both sides have ended."""
        return self._sent_end and self._received_end


class SpdySession:
    """The server's side of one SPDY/3.1 connection.

    Parameters
    ----------
    write : callable
        Sends bytes to the peer.
    on_stream : callable
        Gets each new stream before its reply; raises ValueError with a reason to refuse it.
    """

    def __init__(self, write: Callable[[bytes], None], on_stream: Callable[[Stream], None]) -> None:
        self.write = write
        self._on_stream = on_stream
        self._coder = HeaderCoder()
        self._buffer = bytearray()
        self._streams: dict[int, Stream] = {}
        self.gone = False
        """Whether the peer said GOAWAY."""

    def feed(self, data: bytes) -> None:
        """Take bytes from the peer.

        Raises
        ------
        SpdyError
            They are not SPDY/3.1: the connection cannot go on.
        """
        self._buffer += data
        at = 0
        while len(self._buffer) - at >= _HEADER_BYTES:
            first, second = struct.unpack_from(">II", self._buffer, at)
            size = second & 0xFFFFFF
            if len(self._buffer) - at < _HEADER_BYTES + size:
                break
            body = bytes(self._buffer[at + _HEADER_BYTES : at + _HEADER_BYTES + size])
            at += _HEADER_BYTES + size
            if first & 0x80000000:
                if first >> 16 & 0x7FFF != _VERSION:
                    raise SpdyError(f"version {first >> 16 & 0x7FFF} instead of {_VERSION}")
                self._control(first & 0xFFFF, second >> 24, body)
            else:
                self._data(first, second >> 24, body)
        del self._buffer[:at]

    def end(self) -> None:
        """Note that the connection is over: every stream ends."""
        for stream in list(self._streams.values()):
            stream.received_reset()

    def forget_finished(self, stream: Stream) -> None:
        """Drop a stream that has ended both ways."""
        if stream.finished:
            self._streams.pop(stream.stream_id, None)

    def _data(self, stream_id: int, flags: int, body: bytes) -> None:
        stream = self._streams.get(stream_id)
        if stream is None:
            return
        if body:
            stream.on_data(body)
        if flags & FLAG_FIN:
            stream.received_end()

    def _control(self, kind: int, flags: int, body: bytes) -> None:
        try:
            if kind == SYN_STREAM:
                self._open(struct.unpack_from(">I", body)[0], flags, body[10:])
            elif kind in (SYN_REPLY, HEADERS):
                self._coder.decode(body[4:])
            elif kind == RST_STREAM:
                stream = self._streams.get(struct.unpack_from(">I", body)[0])
                if stream is not None:
                    stream.received_reset()
            elif kind == PING:
                self.write(control_frame(PING, 0, body[:4]))
            elif kind == GOAWAY:
                self.gone = True
        except struct.error as error:
            raise SpdyError(f"control frame {kind} of {len(body)} bytes: {error}") from None

    def _open(self, stream_id: int, flags: int, block: bytes) -> None:
        stream = Stream(self, stream_id, self._coder.decode(block))
        if stream_id in self._streams:
            self.write(
                control_frame(RST_STREAM, 0, struct.pack(">II", stream_id, RST_PROTOCOL_ERROR))
            )
            return
        try:
            self._on_stream(stream)
        except ValueError:
            self.write(
                control_frame(RST_STREAM, 0, struct.pack(">II", stream_id, RST_REFUSED_STREAM))
            )
            return
        self._streams[stream_id] = stream
        self.write(
            control_frame(SYN_REPLY, 0, struct.pack(">I", stream_id) + self._coder.encode({}))
        )
        if flags & FLAG_FIN:
            stream.received_end()
