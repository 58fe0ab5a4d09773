"""List-then-watch as one stream of events without gaps."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Generator, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from .._errors import ClusterUnreachableError
from .refusals import ApiStatusError, explain, passing

if TYPE_CHECKING:
    import urllib3

    from .api import ApiSession

WATCH_LIFE_S = 240
"""How long the server keeps one watch open (`timeoutSeconds`); it is then resumed where it stopped."""
PATIENCE_S = 30.0
"""How long a watch that has worked waits for an API server that went away."""
RETRY_S = 0.2


class WatchEvent(NamedTuple):
    """One event of a watch."""

    type: str
    """"ADDED", "MODIFIED" or "DELETED"."""
    object: dict[str, Any]
    received_s: float
    """`time.monotonic()` when it had arrived."""


class Watch(Iterator[WatchEvent]):
    """A list, then every change, as one stream without gaps.

    The server ends each watch after some minutes: it is resumed from the last resource version. Where that version is
    too old (410 Gone), the collection is listed again and what changed meanwhile is told as events. An API server that
    goes away is waited for, `PATIENCE_S` at most, unless its whole cluster is known to have stopped.

    Source: https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
    """

    def __init__(
        self,
        session: ApiSession,
        path: str,
        query: dict[str, Any],
        resource_version: str | None,
        timeout_s: float | None,
    ) -> None:
        self._session = session
        self._path = path
        self._query = query
        self._version = resource_version
        self._end_s = None if timeout_s is None else time.monotonic() + timeout_s
        self._known: dict[str, dict[str, Any]] = {}
        self._closed = threading.Event()
        self._response: urllib3.BaseHTTPResponse | None = None
        self._events = self._follow()

    def __next__(self) -> WatchEvent:
        return next(self._events)

    def __enter__(self) -> Watch:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
        self._events.close()

    def close(self) -> None:
        """End the iteration, from any thread, at once."""
        self._closed.set()
        response = self._response
        if response is not None:
            with contextlib.suppress(Exception):  # it may end by itself at this very moment
                response.shutdown()

    def _left_s(self) -> float:
        return float("inf") if self._end_s is None else self._end_s - time.monotonic()

    def _follow(self) -> Generator[WatchEvent, None, None]:
        worked = False
        lost_s = 0.0
        while not self._closed.is_set() and self._left_s() > 0:
            try:
                if self._version is None:
                    yield from self._list()
                    worked, lost_s = True, 0.0
                for event in self._stream():
                    worked, lost_s = True, 0.0
                    yield event
                worked, lost_s = True, 0.0
            except (ClusterUnreachableError, ApiStatusError) as error:
                if isinstance(error, ApiStatusError) and error.code == 410:
                    self._version = None
                    continue
                lost_s = lost_s or time.monotonic()
                waited_s = time.monotonic() - lost_s
                if not worked or not passing(error) or waited_s > PATIENCE_S:
                    raise
                self._closed.wait(RETRY_S)

    def _list(self) -> Iterator[WatchEvent]:
        answer = self._session.request("GET", self._path, query=self._query)
        received_s = time.monotonic()
        kind, version = str(answer.get("kind", "")).removesuffix("List"), answer.get("apiVersion")
        before, self._known = self._known, {}
        self._version = answer["metadata"]["resourceVersion"]
        for item in answer["items"]:
            item = {
                "apiVersion": version,
                "kind": kind,
                **item,
            }  # lists leave them out of their items
            self._known[_uid(item)] = item
        for uid, item in self._known.items():
            if uid not in before:
                yield WatchEvent("ADDED", item, received_s)
            elif _version(before[uid]) != _version(item):
                yield WatchEvent("MODIFIED", item, received_s)
        for uid, item in before.items():
            if uid not in self._known:
                yield WatchEvent("DELETED", item, received_s)

    def _stream(self) -> Iterator[WatchEvent]:
        life_s = max(1, int(min(WATCH_LIFE_S, self._left_s() + 1)))
        query = {
            **self._query,
            "watch": True,
            "allowWatchBookmarks": True,
            "resourceVersion": self._version,
            "timeoutSeconds": life_s,
        }
        self._response = self._session.open(self._path, query, life_s + 30.0)
        try:
            if (
                self._closed.is_set()
            ):  # `close` came while it was being opened, and found nothing to shut down
                return
            for line in _lines(self._response):
                received_s = time.monotonic()
                if self._closed.is_set() or (self._end_s is not None and received_s > self._end_s):
                    return
                plain = json.loads(line)
                if plain["type"] == "ERROR":
                    raise explain(
                        "WATCH", self._path, plain["object"].get("code", 500), plain["object"]
                    )
                self._version = _version(plain["object"])
                if plain["type"] != "BOOKMARK":
                    self._remember(plain["type"], plain["object"])
                    yield WatchEvent(plain["type"], plain["object"], received_s)
        finally:
            response, self._response = self._response, None
            response.close()

    def _remember(self, type_: str, item: dict[str, Any]) -> None:
        if type_ == "DELETED":
            self._known.pop(_uid(item), None)
        else:
            self._known[_uid(item)] = item


def _lines(response: urllib3.BaseHTTPResponse) -> Iterator[bytes]:
    """Yield each line as soon as it is whole; end silently where the connection is cut: the watch resumes."""
    import urllib3

    rest = b""
    with contextlib.suppress(urllib3.exceptions.HTTPError, OSError, AttributeError, ValueError):
        for chunk in response.stream(None, decode_content=False):
            *whole, rest = (rest + chunk).split(b"\n")
            yield from whole


def _uid(item: Mapping[str, Any]) -> str:
    metadata = item["metadata"]
    return metadata.get("uid") or f"{metadata.get('namespace', '')}/{metadata['name']}"


def _version(item: Mapping[str, Any]) -> str:
    return str(item["metadata"]["resourceVersion"])
