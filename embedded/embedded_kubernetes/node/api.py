"""The API server as the node sees it: requests by client certificate, and stores kept current by watches.

Objects are plain dictionaries: what a dozen kinds need of them is a few fields each, and the node stays small.
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
import ssl
import time
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any, Literal

import aiohttp

from ..config import ClusterConfig

Object = dict[str, Any]
PatchKind = Literal["strategic", "merge", "json"]
ChangeKind = Literal["ADDED", "MODIFIED", "DELETED"]
Key = tuple[str, str]
"""Namespace ("" for what has none) and name."""

_log = logging.getLogger(__name__)

_PATCH_TYPES: Mapping[PatchKind, str] = {
    "strategic": "application/strategic-merge-patch+json",
    "merge": "application/merge-patch+json",
    "json": "application/json-patch+json",
}
_CONNECTIONS = 8
_REQUEST_TIMEOUT_S = 30.0
_WATCH_S = (300, 600)
"""A watch ends after a random time in this range, as those of client-go."""
_SHORTEST_WATCH_S = 1.0
"""A watch that the server ends sooner ("very short watch" of client-go) is asked for again after a pause."""
_BACK_OFF_S = (0.02, 0.5)
"""First and longest pause before an API server that does not answer is asked again."""


class ApiError(Exception):
    """The API server refused a request or did not answer.

    Attributes
    ----------
    status : int
        HTTP status; 0 where there was no answer.
    reason : str
        `metav1.Status.reason` ("NotFound", "Conflict" …), "" where there is none.
    """

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason


class Api:
    """A client of the API server with one identity.

    Parameters
    ----------
    config : ClusterConfig
        Gives the server and the folder of certificates.
    identity : str
        Name of the client certificate in that folder (`cours-node-1`, `services`).
    """

    def __init__(self, config: ClusterConfig, identity: str) -> None:
        self._server = config.server
        self._context = _client_context(config.pki, identity)
        self._requests = self._session(_CONNECTIONS)
        self._watches = self._session(0)

    def _session(self, connections: int) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            ssl=self._context, limit=connections, keepalive_timeout=120, use_dns_cache=False
        )
        return aiohttp.ClientSession(
            connector=connector,
            timeout=aiohttp.ClientTimeout(total=None),
            headers={
                "Accept": "application/json",
                # On loopback packing an answer costs more than it saves.
                "Accept-Encoding": "identity",
                "User-Agent": "k8s-helpers-node",
            },
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def close(self) -> None:
        """Close every connection."""
        await self._requests.close()
        await self._watches.close()

    async def get(self, path: str, params: Mapping[str, str] | None = None) -> Object:
        """Return an object, or whatever JSON a path answers with.

        Raises
        ------
        ApiError
            Not found, forbidden, no answer.
        """
        return await self._request("GET", path, params=params)

    async def list(self, path: str, params: Mapping[str, str] | None = None) -> Object:
        """Return a list object: `items` and `metadata.resourceVersion`; items lack kind and apiVersion."""
        return await self._request("GET", path, params=params)

    async def create(self, path: str, body: Object) -> Object:
        """Post an object to its collection (or to a subresource such as `token`)."""
        return await self._request("POST", path, body=body)

    async def patch(self, path: str, body: Any, *, kind: PatchKind = "strategic") -> Object:
        """Change a part of an object."""
        return await self._request("PATCH", path, body=body, content_type=_PATCH_TYPES[kind])

    async def delete(self, path: str, options: Object | None = None) -> Object:
        """Delete an object; `options` are `metav1.DeleteOptions` (grace period, preconditions)."""
        return await self._request("DELETE", path, body=options)

    async def _request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: Any = None,
        content_type: str = "application/json",
    ) -> Object:
        data = None if body is None else json.dumps(body, separators=(",", ":")).encode()
        headers = {"Content-Type": content_type} if data is not None else None
        try:
            async with asyncio.timeout(_REQUEST_TIMEOUT_S):
                async with self._requests.request(
                    method, self._server + path, params=params, data=data, headers=headers
                ) as answer:
                    text = await answer.read()
        except (aiohttp.ClientError, OSError) as error:
            raise ApiError(0, "", f"{method} {path}: {error or type(error).__name__}") from None
        if answer.status >= 400:
            raise _refusal(answer.status, text)
        parsed: Object = json.loads(text)
        return parsed

    async def watch(
        self, path: str, resource_version: str, params: Mapping[str, str] | None = None
    ) -> AsyncIterator[tuple[str, Object]]:
        """Yield (type, object) of what happens from a version on, until the server ends the watch.

        Types are ADDED, MODIFIED, DELETED and BOOKMARK.

        Raises
        ------
        ApiError
            The version is too old (410), forbidden, the connection was lost (0).
        """
        seconds = random.randint(*_WATCH_S)
        query = {
            **(params or {}),
            "watch": "1",
            "allowWatchBookmarks": "true",
            "resourceVersion": resource_version,
            "timeoutSeconds": str(seconds),
        }
        timeout = aiohttp.ClientTimeout(total=seconds + _REQUEST_TIMEOUT_S)
        try:
            async with self._watches.get(
                self._server + path, params=query, timeout=timeout
            ) as answer:
                if answer.status >= 400:
                    raise _refusal(answer.status, await answer.read())
                async for line in _lines(answer.content):
                    event = json.loads(line)
                    if event["type"] == "ERROR":
                        status = event["object"]
                        raise ApiError(
                            status.get("code", 500),
                            status.get("reason", ""),
                            status.get("message", "watch failed"),
                        )
                    yield event["type"], event["object"]
        except (aiohttp.ClientError, OSError) as error:
            raise ApiError(0, "", f"watch {path}: {error or type(error).__name__}") from None


class Informer:
    """A collection kept current in memory: list, then watch, resumed or listed again as needed.

    Parameters
    ----------
    api : Api
        With the rights to list and watch it.
    path : str
        The collection (`/api/v1/services`).
    on_change : callable
        Called with the kind of change and the object, after `items` has it (DELETED: its last state).
    params : mapping, optional
        Selectors (`{"fieldSelector": "spec.nodeName=…"}`).

    Attributes
    ----------
    items : dict
        (namespace, name) → object.
    """

    def __init__(
        self,
        api: Api,
        path: str,
        *,
        on_change: Callable[[ChangeKind, Object], None],
        params: Mapping[str, str] | None = None,
    ) -> None:
        self.items: dict[Key, Object] = {}
        self._api = api
        self._path = path
        self._params = params
        self._on_change = on_change
        self._synced = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin; returns at once, whether or not the API server answers yet."""
        self._task = asyncio.create_task(self._follow(), name=f"informer {self._path}")

    async def synced(self) -> None:
        """Return once the first list is in `items`."""
        await self._synced.wait()

    async def close(self) -> None:
        """Stop watching."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _follow(self) -> None:
        version: str | None = None
        pause_s = _BACK_OFF_S[0]
        while True:
            try:
                if version is None:
                    version = await self._list()
                    self._synced.set()
                began_s = time.monotonic()
                async for kind, item in self._api.watch(self._path, version, self._params):
                    version = item["metadata"]["resourceVersion"]
                    pause_s = _BACK_OFF_S[0]
                    if kind != "BOOKMARK":
                        self._take(kind, item)
                if time.monotonic() - began_s >= _SHORTEST_WATCH_S:
                    continue
            except ApiError as error:
                if error.status not in (0, 429) and error.status < 500:
                    version = None  # too old, or of another life of etcd
                _log.debug("%s: %s", self._path, error)
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, _BACK_OFF_S[1])

    async def _list(self) -> str:
        listing = await self._api.list(self._path, self._params)
        # Items of a list do not say what they are; those of a watch do.
        said = {"apiVersion": listing["apiVersion"], "kind": listing["kind"].removesuffix("List")}
        fresh = {key_of(item): {**said, **item} for item in listing.get("items") or ()}
        for key in [key for key in self.items if key not in fresh]:
            self._take("DELETED", self.items[key])
        for key, item in fresh.items():
            known = self.items.get(key)
            if known is None:
                self._take("ADDED", item)
            elif known["metadata"]["uid"] != item["metadata"]["uid"]:
                self._take("DELETED", known)
                self._take("ADDED", item)
            elif version_of(known) != version_of(item):
                self._take("MODIFIED", item)
        version: str = listing["metadata"]["resourceVersion"]
        return version

    def _take(self, kind: Any, item: Object) -> None:
        item["metadata"].pop("managedFields", None)
        if kind == "DELETED":
            self.items.pop(key_of(item), None)
        else:
            self.items[key_of(item)] = item
        try:
            self._on_change(kind, item)
        except Exception:
            _log.exception("%s %s of %s", kind, key_of(item), self._path)


def key_of(item: Object) -> Key:
    """Return an object's namespace and name."""
    return item["metadata"].get("namespace", ""), item["metadata"]["name"]


def version_of(item: Object) -> str:
    """Return an object's resourceVersion."""
    version: str = item["metadata"]["resourceVersion"]
    return version


def _client_context(pki: Path, identity: str) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(pki / "ca.crt"))
    context.load_cert_chain(pki / f"{identity}.crt", pki / f"{identity}.key")
    return context


def _refusal(status: int, text: bytes) -> ApiError:
    try:
        said = json.loads(text)
        return ApiError(status, said.get("reason", ""), said.get("message", "") or f"HTTP {status}")
    except (ValueError, AttributeError):
        words = text.decode(errors="replace").strip()
        return ApiError(status, "", words[:500] or f"HTTP {status}")


async def _lines(content: aiohttp.StreamReader) -> AsyncIterator[bytes]:
    """Yield lines of any length (`StreamReader.readline` has a limit)."""
    rest = b""
    async for data in content.iter_any():
        *lines, rest = (rest + data).split(b"\n")
        for line in lines:
            if line:
                yield line
