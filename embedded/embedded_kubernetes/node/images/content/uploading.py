"""A registry that is given an image: blobs it lacks, then manifests (`distribution-spec`, "Push").

(source: https://github.com/opencontainers/distribution-spec/blob/main/spec.md)
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

import aiohttp

from . import oci
from .credentials import Credentials
from .endpoints import direct
from .references import Reference
from .registry import Patience, Registry, RegistryError

PATIENCE = Patience(silence_s=120.0)
"""A registry reads a blob again before it answers, and puts it where it keeps them."""

CHUNK_BYTES = 8 << 20
"""How much is sent at once to a registry behind a server that takes no more (413)."""

_TRIES = 3
_PAUSE_S = 0.5
_SLOWEST_BYTES_PER_S = 20_000
_LONGEST_ANSWER_BYTES = 64_000
_BINARY = "application/octet-stream"


class RefusedError(RegistryError):
    """A registry that answers, and does not take what it is given.

    Attributes
    ----------
    status : int
        Of the answer.
    message : str
        What it says itself, "" where nothing.
    """

    def __init__(self, words: str, status: int, message: str) -> None:
        super().__init__(words)
        self.status = status
        self.message = message


@dataclass(frozen=True)
class LocalBlob:
    """A blob that is to be sent: a file of this machine."""

    descriptor: oci.Descriptor
    path: Path

    @classmethod
    def of(cls, path: Path, media_type: str) -> LocalBlob:
        """Return a file as a blob."""
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        return cls(oci.Descriptor(media_type, f"sha256:{digest}", path.stat().st_size), path)


class Repository(Registry):
    """One repository of a registry, which may be written.

    Parameters
    ----------
    session : aiohttp.ClientSession
        From `registry.session`.
    reference : Reference
        The image that shall be there.
    credentials : Credentials or None
        Who writes.
    mounts : sequence of str
        Repositories of the same registry that may have its blobs already.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        reference: Reference,
        credentials: Credentials | None = None,
        mounts: Sequence[str] = (),
        patience: Patience = PATIENCE,
    ) -> None:
        read = [f"repository:{path}:pull" for path in mounts if path != reference.path]
        scopes = (f"repository:{reference.path}:pull,push", *read)
        super().__init__(session, reference, credentials, patience, scopes)
        self._endpoint = direct(reference.domain)
        self._patience = patience

    async def tagged(self, tag: str) -> str:
        """Return the digest that a tag means there, "" where there is none."""
        accepted = f"{oci.OCI_INDEX}, {oci.OCI_MANIFEST}"
        async with self._ask(
            "HEAD", self._address("manifests", tag), {"Accept": accepted}
        ) as answer:
            if answer.status in (404, 405):
                return ""
            await _check(answer)
            return answer.headers.get("Docker-Content-Digest", "")

    async def has(self, descriptor: oci.Descriptor) -> bool:
        """Return whether a blob is there."""
        async with self._ask("HEAD", self._address("blobs", descriptor.digest), {}) as answer:
            if answer.status == 404:
                return False
            await _check(answer)
            return True

    async def mount(self, descriptor: oci.Descriptor, source: str) -> bool:
        """Have a blob without sending it where another repository (one of `mounts`) has it; return whether it is so."""
        asked = f"mount={quote(descriptor.digest)}&from={quote(source, safe='')}"
        async with self._ask("POST", self._uploads(asked), {}, body=bytes) as answer:
            if answer.status == 202:  # an upload that nobody goes on with
                await self._cancel(self._location(answer))
            return answer.status == 201

    async def send(self, blob: LocalBlob) -> None:
        """Send a blob; a connection that breaks, or a server that is about to restart, is tried again.

        Raises
        ------
        RegistryError
            It does not take it.
        """
        for left in reversed(range(_TRIES)):
            try:
                async with asyncio.timeout(
                    self._patience.silence_s + blob.descriptor.size_bytes / _SLOWEST_BYTES_PER_S
                ):
                    return await self._send(blob)
            except RefusedError as error:
                if error.status < 500 or not left:
                    raise
            except (aiohttp.ClientError, TimeoutError, ConnectionError) as error:
                if not left:
                    raise RegistryError(f"failed to copy: {error or 'timeout'}") from None
            await asyncio.sleep(_PAUSE_S)  # a server that restarts needs a moment

    async def put_manifest(self, data: bytes, media_type: str, name: str) -> str:
        """Give a manifest or index a tag, or only its digest as a name; return its digest.

        Raises
        ------
        RegistryError
            It does not take it, or says that it was another.
        """
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        address = self._address("manifests", name)
        async with self._ask(
            "PUT", address, {"Content-Type": media_type}, body=lambda: data
        ) as answer:
            await _check(answer)
            said = answer.headers.get("Docker-Content-Digest", digest)
        if said != digest:
            raise RegistryError(f"{self._reference.full}: digest {said}, expected {digest}")
        return digest

    async def _send(self, blob: LocalBlob) -> None:
        try:
            place = await self._begin()
            await self._commit(place, blob, _whole(blob.path), blob.descriptor.size_bytes)
        except RefusedError as error:
            if error.status != 413 or blob.descriptor.size_bytes <= CHUNK_BYTES:
                raise
            await self._send_in_chunks(blob)

    async def _send_in_chunks(self, blob: LocalBlob) -> None:
        place, start = await self._begin(), 0
        with blob.path.open("rb") as file:
            while data := file.read(CHUNK_BYTES):
                headers = {
                    "Content-Type": _BINARY,
                    "Content-Range": f"{start}-{start + len(data) - 1}",
                    "Content-Length": str(len(data)),
                }
                async with self._passing("PATCH", place, headers, _bytes(data)) as answer:
                    place, start = self._location(answer), start + len(data)
        await self._commit(place, blob, bytes, 0)

    async def _begin(self) -> str:
        async with self._passing("POST", self._uploads(), {}, bytes) as answer:
            return self._location(answer)

    async def _commit(
        self, place: str, blob: LocalBlob, body: Callable[[], Any], length: int
    ) -> None:
        joint = "&" if urlsplit(place).query else "?"
        address = f"{place}{joint}digest={quote(blob.descriptor.digest)}"
        headers = {"Content-Type": _BINARY, "Content-Length": str(length)}
        async with self._passing("PUT", address, headers, body):
            pass

    async def _cancel(self, place: str) -> None:
        async with self._ask("DELETE", place, {}):
            pass  # one that it forgets by itself is as well

    @asynccontextmanager
    async def _passing(
        self, method: str, address: str, headers: Mapping[str, str], body: Callable[[], Any]
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        async with self._ask(method, address, headers, raw=True, body=body) as answer:
            await _check(answer)
            yield answer

    def _uploads(self, query: str = "") -> str:
        address = self._address("blobs", "uploads/")
        return f"{address}{'&' if '?' in address else '?'}{query}" if query else address

    def _location(self, answer: aiohttp.ClientResponse) -> str:
        """Return where an upload goes on; a registry that is spoken to in TLS leads to no plain HTTP."""
        place = urljoin(str(answer.url), answer.headers.get("Location", ""))
        if urlsplit(place).scheme not in ("https", urlsplit(str(answer.url)).scheme):
            raise RegistryError(f'{answer.url}: upload continues at "{place}"')
        return place


def _bytes(data: bytes) -> Callable[[], bytes]:
    return lambda: data


def _whole(path: Path) -> Callable[[], Any]:
    return lambda: path.open("rb")


async def _check(answer: aiohttp.ClientResponse) -> None:
    """Raise `RefusedError` with the words of what a registry refuses."""
    if answer.status < 300:
        return
    data = await answer.content.read(_LONGEST_ANSWER_BYTES)
    message = ""
    try:
        listed = json.loads(data)["errors"]
        message = "; ".join(f"{entry.get('code')}: {entry.get('message', '')}" for entry in listed)
    except (ValueError, KeyError, TypeError, AttributeError):
        pass  # a page of a server in between
    words = f"{answer.method} {answer.url}: {answer.status} {answer.reason}"
    raise RefusedError(f"{words} ({message})" if message else words, answer.status, message)
