"""A registry's protocol: tokens, manifests, blobs (`distribution-spec`); what fails is said in containerd's words.

(source: `core/remotes/docker` of containerd)
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import re
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

import aiohttp
from yarl import URL

from . import oci
from .credentials import Credentials
from .endpoints import RegistryEndpoint, endpoint, proxy
from .references import Reference

_ACCEPTED = ", ".join(
    (oci.DOCKER_MANIFEST, oci.DOCKER_INDEX, oci.OCI_MANIFEST, oci.OCI_INDEX, "*/*")
)
_LONGEST_MANIFEST_BYTES = 4 << 20
_LONGEST_ANSWER_BYTES = 64_000
_MOST_REDIRECTS = 10
_REDIRECTS = (301, 302, 303, 307, 308)
_TRANSIENT = (500, 503, 504)
_TOKEN_LASTS_S = 60.0
_MOST_CUTS = 5
_PROGRESS_BYTES = 1 << 20
_CUT_PAUSE_S = 0.2
_PARAMETER = re.compile(r'([a-zA-Z_]+)="([^"]*)"')


class RegistryError(Exception):
    """A registry that cannot be reached, or does not give what it was asked for."""


class DeniedError(RegistryError):
    """It asks for an identity, or for another one."""


@dataclass(frozen=True)
class Patience:
    """How long a registry may be silent (seconds): until it is connected, until an answer or the next bytes come."""

    connect_s: float = 15.0
    silence_s: float = 30.0


PATIENCE = Patience()
"""What people bear: several times what a slow line takes."""


class Registry:
    """One repository's registry, as one identity asks it.

    Parameters
    ----------
    session : aiohttp.ClientSession
        From `session()`.
    reference : Reference
        The image.
    credentials : Credentials or None
        Who asks.
    patience : Patience
        How long to wait.
    scopes : sequence of str
        What a token shall allow; none takes what the registry asks for, or else to read this repository.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        reference: Reference,
        credentials: Credentials | None = None,
        patience: Patience = PATIENCE,
        scopes: Sequence[str] = (),
    ) -> None:
        self._session = session
        self._reference = reference
        self._credentials = credentials
        self._scopes = tuple(scopes)
        self._endpoint: RegistryEndpoint = endpoint(reference.domain)
        self._timeout = aiohttp.ClientTimeout(
            total=None, sock_connect=patience.connect_s, sock_read=patience.silence_s
        )
        self._authorization = ""
        self._authorized_until_s = 0.0
        self._authorizing = asyncio.Lock()

    # What it has

    async def resolve(self) -> oci.Descriptor:
        """Return what a tag or digest means there.

        Raises
        ------
        RegistryError
            It has no such image, or does not say.
        """
        address = self._address("manifests", self._reference.wanted)
        headers = {"Accept": _ACCEPTED}
        try:
            async with self._ask("HEAD", address, headers) as answer:
                if answer.status == 404:
                    raise RegistryError(f"{self._reference.full}: not found")
                if answer.status == 405:
                    return await self._resolve_by_get(address, headers)
                await _check(answer)
                digest = self._reference.digest or answer.headers.get("Docker-Content-Digest", "")
                size = answer.content_length
                if not digest or size is None:
                    return await self._resolve_by_get(address, headers)
                if not oci.is_digest(digest):
                    raise RegistryError(
                        f'"{digest}" in header not a valid digest: invalid checksum digest format'
                    )
                return oci.Descriptor(answer.content_type, digest, size)
        except DeniedError as error:
            words = "pull access denied, repository does not exist or may require authorization"
            raise DeniedError(f"{words}: {error}") from None

    async def _resolve_by_get(self, address: str, headers: Mapping[str, str]) -> oci.Descriptor:
        async with self._ask("GET", address, headers) as answer:
            if answer.status == 404:
                raise RegistryError(f"{self._reference.full}: not found")
            await _check(answer)
            data = await _read(answer, _LONGEST_MANIFEST_BYTES)
            digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
            return oci.Descriptor(answer.content_type, self._reference.digest or digest, len(data))

    async def document(self, descriptor: oci.Descriptor, kind: str) -> bytes:
        """Return a manifest, index or configuration.

        Parameters
        ----------
        descriptor : Descriptor
            Which one.
        kind : str
            "manifest", "index" or "config".

        Raises
        ------
        RegistryError
            It is not there, or is another one.
        """
        if descriptor.size_bytes > _LONGEST_MANIFEST_BYTES:
            raise RegistryError(
                f"rejecting {descriptor.size_bytes} byte manifest for {self._reference.full}: not found"
            )
        where = "blobs" if kind == "config" else "manifests"
        address = self._address(where, descriptor.digest)
        async with self._ask(
            "GET", address, {"Accept": f"{descriptor.media_type or '*/*'}, */*"}
        ) as answer:
            await _check(answer, descriptor)
            data = await _read(answer, _LONGEST_MANIFEST_BYTES)
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        if digest != descriptor.digest:
            raise RegistryError(
                f'failed commit on ref "{kind}-{descriptor.digest}": unexpected commit digest {digest}, '
                f"expected {descriptor.digest}: failed precondition"
            )
        return data

    async def blob(self, descriptor: oci.Descriptor) -> AsyncGenerator[bytes, None]:
        """Yield a blob from its beginning to its end; a connection that is cut is taken up where it was.

        A registry that gives too much, or cuts again and again without giving much, is left.

        Raises
        ------
        RegistryError
            It is not there, or does not come.
        """
        done, mark, cuts = 0, 0, 0
        address = self._address("blobs", descriptor.digest)
        while True:
            try:
                async with contextlib.aclosing(self._from(address, descriptor, done)) as pieces:
                    async for piece in pieces:
                        done += len(piece)
                        yield piece
                        if 0 <= descriptor.size_bytes < done:
                            return  # what is wrong with it shows when it is unpacked
                if done >= descriptor.size_bytes:
                    return
                cause: Exception = EOFError("unexpected EOF")
            except (aiohttp.ClientError, TimeoutError, ConnectionError) as error:
                cause = error
            cuts = 1 if done - mark >= _PROGRESS_BYTES else cuts + 1
            mark = done
            if cuts >= _MOST_CUTS:
                words = _failure("GET", address, cause)
                raise RegistryError(f"failed to copy: httpReadSeeker: failed open: {words}")
            await asyncio.sleep(_CUT_PAUSE_S * cuts)  # a server that restarts needs a moment

    async def _from(
        self, address: str, descriptor: oci.Descriptor, offset: int
    ) -> AsyncGenerator[bytes, None]:
        headers = {"Accept": f"{descriptor.media_type or '*/*'}, */*"}
        if offset:
            headers["Range"] = f"bytes={offset}-"
        async with self._ask("GET", address, headers, raw=True) as answer:
            await _check(answer, descriptor)
            skip = offset if answer.status == 200 else 0  # it does not know ranges
            wanted = answer.headers.get("Content-Range", f"bytes {offset}-")
            if answer.status == 206 and not wanted.startswith(f"bytes {offset}-"):
                raise RegistryError(f"unhandled content range in response: {wanted}")
            async for piece in answer.content.iter_any():
                if skip >= len(piece):
                    skip -= len(piece)
                    continue
                yield piece[skip:] if skip else piece
                skip = 0

    # How it is asked

    def _address(self, *what: str) -> str:
        return self._endpoint.address(self._reference.path, *what)

    @asynccontextmanager
    async def _ask(
        self,
        method: str,
        address: str,
        headers: Mapping[str, str],
        *,
        raw: bool = False,
        body: Callable[[], Any] | None = None,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Ask with the identity that the registry wants; what a server under load refuses is asked once more.

        Only the registry itself may say where the identity is to be taken: no server that it leads on to.

        With `raw` a connection that breaks is the caller's business. `body` is called each time it is sent.
        """
        try:
            async with contextlib.AsyncExitStack() as stack:
                sent = self._authorization
                answer = await self._answer(stack, method, address, headers, body)
                if answer.status == 401 and _is_of(answer, address):
                    challenge = answer.headers.getall("WWW-Authenticate", [])
                    if await self._authorize(challenge, sent):
                        answer = await self._answer(stack, method, address, headers, body)
                    if answer.status == 401:
                        _refuse_again(answer.headers.getall("WWW-Authenticate", []))
                if answer.status in _TRANSIENT:
                    answer = await self._answer(stack, method, address, headers, body)
                yield answer
        except (aiohttp.ClientError, TimeoutError, ConnectionError) as error:
            if raw:
                raise
            raise RegistryError(_failure(method, address, error)) from None

    async def _answer(
        self,
        stack: contextlib.AsyncExitStack,
        method: str,
        address: str,
        headers: Mapping[str, str],
        body: Callable[[], Any] | None,
    ) -> aiohttp.ClientResponse:
        """Return the answer, redirections followed; the identity goes to the registry alone."""
        place, home = address, urlsplit(address)
        for _ in range(_MOST_REDIRECTS):
            sent = dict(headers)
            if self._authorization and urlsplit(place)[:2] == home[:2]:
                sent["Authorization"] = self._authorization
            answer = await stack.enter_async_context(
                self._session.request(
                    method,
                    URL(place, encoded=True),
                    headers=sent,
                    data=None if body is None else body(),
                    allow_redirects=False,
                    proxy=proxy(place),
                    timeout=self._timeout,
                )
            )
            if answer.status not in _REDIRECTS or "Location" not in answer.headers:
                return answer
            place = urljoin(place, answer.headers["Location"])
            if urlsplit(place).scheme not in ("http", "https"):
                break
        raise RegistryError(
            f'failed to do request: {method.title()} "{place}": stopped after {_MOST_REDIRECTS} redirects'
        )

    # Who asks

    async def _authorize(self, challenges: list[str], sent: str) -> bool:
        """Take the identity that a registry asks for; return whether asking again makes sense.

        `sent` is the header that was refused: another request may have got a better one meanwhile.
        """
        for challenge in challenges:
            scheme, _, rest = challenge.partition(" ")
            parameters = dict(_PARAMETER.findall(rest))
            if scheme.lower() == "bearer" and parameters.get("realm"):
                async with self._authorizing:
                    if self._authorization != sent:
                        return True
                    if sent and time.monotonic() <= self._authorized_until_s:
                        return False
                    await self._fetch_token(parameters)
                    return True
            if scheme.lower() == "basic":
                if self._credentials is None:
                    raise DeniedError("authorization failed: no basic auth credentials")
                self._authorization = self._credentials.basic()
                self._authorized_until_s = float("inf")
                return self._authorization != sent
        return False

    async def _fetch_token(self, parameters: Mapping[str, str]) -> None:
        realm = parameters["realm"]
        known = self._credentials
        which = "failed to authorize: failed to fetch " + (
            "anonymous token" if known is None else "oauth token"
        )
        asked = parameters.get("scope") or f"repository:{self._reference.path}:pull"
        scopes = self._scopes or (asked,)
        try:
            async with self._token_request(realm, parameters.get("service", ""), scopes) as answer:
                if answer.status >= 400:
                    raise RegistryError(f"{which}: {await _unexpected(answer)}")
                plain = json.loads(await _read(answer, _LONGEST_MANIFEST_BYTES))
        except (aiohttp.ClientError, TimeoutError, ConnectionError) as error:
            raise RegistryError(f"{which}: {_cause_of('Get', realm, error)}") from None
        except ValueError as error:
            raise RegistryError(f"{which}: unable to decode token response: {error}") from None
        self._take(plain, which)

    def _token_request(
        self, realm: str, service: str, scopes: Sequence[str]
    ) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        """Ask for a token: by name and password, or by a token that stands for them.

        Source: https://distribution.github.io/distribution/spec/auth/oauth/
        """
        known = self._credentials
        if known is not None and known.identity_token:
            form = {
                "grant_type": "refresh_token",
                "refresh_token": known.identity_token,
                "service": service,
                "scope": " ".join(scopes),
                "client_id": "embedded-kubernetes",
            }
            return self._session.post(
                URL(realm), data=form, proxy=proxy(realm), timeout=self._timeout
            )
        query = {"scope": list(scopes)} | ({"service": [service]} if service else {})
        return self._session.get(
            URL(realm).update_query(query),
            headers={} if known is None else {"Authorization": known.basic()},
            proxy=proxy(realm),
            timeout=self._timeout,
        )

    def _take(self, plain: Any, which: str) -> None:
        """Keep the token that an authorization server has given."""
        token = plain.get("access_token") or plain.get("token") if isinstance(plain, dict) else None
        if not token:
            raise RegistryError(
                f"{which}: authorization server did not include a token in the response"
            )
        self._authorization = f"Bearer {token}"
        lasts = plain.get("expires_in")
        lasts_s = float(lasts) if isinstance(lasts, int | float) and lasts > 0 else _TOKEN_LASTS_S
        self._authorized_until_s = time.monotonic() + lasts_s


def session() -> aiohttp.ClientSession:
    """Return what requests are made with; to be closed."""
    return aiohttp.ClientSession(
        auto_decompress=False,
        headers={"User-Agent": "embedded-kubernetes", "Accept-Encoding": "identity"},
        read_bufsize=1 << 20,
        cookie_jar=aiohttp.DummyCookieJar(),
    )


def _is_of(answer: aiohttp.ClientResponse, address: str) -> bool:
    """Return whether an answer comes from the server of an address."""
    return answer.url.origin() == URL(address, encoded=True).origin()


def _refuse_again(challenges: list[str]) -> None:
    """Raise what a registry says that does not want the identity it has just asked for."""
    for challenge in challenges:
        said = dict(_PARAMETER.findall(challenge)).get("error")
        if said:
            raise DeniedError(f"server message: {said}: authorization failed")


async def _check(answer: aiohttp.ClientResponse, descriptor: oci.Descriptor | None = None) -> None:
    if answer.status < 300:
        return
    if answer.status == 404 and descriptor is not None:
        raise RegistryError(
            f"could not fetch content descriptor {descriptor.digest} ({descriptor.media_type}) from remote: not found"
        )
    raise RegistryError(await _unexpected(answer))


async def _unexpected(answer: aiohttp.ClientResponse) -> str:
    words = f"unexpected status from {answer.method} request to {answer.url}: {answer.status} {answer.reason}"
    try:
        said = _said(json.loads(await _read(answer, _LONGEST_ANSWER_BYTES)))
    except (ValueError, RegistryError):
        said = ""
    return f"{words} - Server message: {said}" if said else words


def _said(plain: Any) -> str:
    """Return the errors that a registry lists."""
    listed = plain.get("errors") if isinstance(plain, dict) else None
    said = [
        f"{str(entry.get('code', 'unknown')).lower().replace('_', ' ')}: {entry.get('message', '')}"
        for entry in listed or ()
        if isinstance(entry, dict)
    ]
    return said[0] if len(said) == 1 else "; ".join(said)


async def _read(answer: aiohttp.ClientResponse, most: int) -> bytes:
    """Return a short body."""
    data = b""
    async for piece in answer.content.iter_any():
        data += piece
        if len(data) > most:
            raise RegistryError(f"rejecting answer of more than {most} bytes from {answer.url}")
    return data


def _failure(method: str, address: str, error: Exception) -> str:
    return f"failed to do request: {_cause_of(method.title(), address, error)}"


def _cause_of(method: str, address: str, error: Exception) -> str:
    return f'{method} "{address}": {_cause(error, address)}'


def _cause(error: Exception, address: str) -> str:
    """Return Go's words for what stopped a request."""
    parts = urlsplit(address)
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    match error:
        case aiohttp.ClientConnectorDNSError():
            return f"dial tcp: lookup {host}: no such host"
        case aiohttp.ClientConnectorCertificateError():
            return f"tls: failed to verify certificate: {error.certificate_error}"
        case aiohttp.ClientConnectorSSLError():
            return "http: server gave HTTP response to HTTPS client"
        case aiohttp.ConnectionTimeoutError():
            return f"dial tcp {host}:{port}: i/o timeout"
        case aiohttp.ClientConnectorError():
            said = (error.os_error.strerror or str(error.os_error)).lower()
            refused = (
                "connection refused" if isinstance(error.os_error, ConnectionRefusedError) else said
            )
            return f"dial tcp {host}:{port}: connect: {refused}"
        case TimeoutError():
            return "net/http: timeout awaiting response headers"
        case aiohttp.ServerDisconnectedError():
            return "EOF"
        case _:
            return str(error) or type(error).__name__
