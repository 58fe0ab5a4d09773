"""An HTTP check under way: where its redirects have led, what its answer says, and Go's words for one that is none."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

import aiohttp

_BROKEN = "net/http: HTTP/1.x transport connection broken"
_STATUS_LINE = re.compile(r"b'([^']*)'")


@dataclass
class Trip:
    """Where an HTTP check is now.

    Attributes
    ----------
    url : str
        As the API shows its address.
    addresses : mapping
        Shown host → the one that it is reached at.
    answered : bool
        Whether the last request has its headers.
    """

    url: str
    addresses: Mapping[str, str]
    answered: bool = False

    def reached(self) -> str:
        """Return the URL to ask."""
        parts = urlsplit(self.url)
        host = self.addresses.get(parts.hostname or "")
        if host is None:
            return self.url
        netloc = host if parts.port is None else f"{host}:{parts.port}"
        return urlunsplit(parts._replace(netloc=netloc))


async def beginning(stream: aiohttp.StreamReader, most_bytes: int) -> str:
    """Return the beginning of a body, or all of it."""
    kept = b""
    while len(kept) < most_bytes and (data := await stream.read(most_bytes - len(kept))):
        kept += data
    return kept.decode(errors="replace")


def malformed(said: str) -> str:
    """Return Go's words for a status line that is none; `said` quotes it."""
    quoted = _STATUS_LINE.search(said)
    if quoted is None:
        return f"{_BROKEN}: {said.splitlines()[0]}"
    line = quoted[1].removesuffix("\\r\\n")
    version, blank, rest = line.partition(" ")
    code = rest.lstrip().partition(" ")[0]
    if not blank:
        return f'{_BROKEN}: malformed HTTP response "{line}"'
    if len(code) != 3 or not code.isdigit():
        return f'{_BROKEN}: malformed HTTP status code "{code}"'
    return f'{_BROKEN}: malformed HTTP version "{version}"'
