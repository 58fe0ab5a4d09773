"""Events: what happens, told to the API once and counted when it happens again.

Same object, reason and message: one Event whose count grows. Many messages of one reason: one Event that says they
are combined. An object that has had 25 Events gets one more every five minutes.
(source: `k8s.io/client-go/tools/record/events_cache.go`)
"""

from __future__ import annotations

import asyncio
import collections
import logging
import time
from dataclasses import dataclass
from typing import Literal

from .api import Api, ApiError
from .records import Object
from .wall import timestamp

Kind = Literal["Normal", "Warning"]

_log = logging.getLogger(__name__)

_PAUSE_S = 0.2
"""Events leave a little later than the status that they tell about, so as not to delay it: four Events a pod
are most of what twenty pods at once would make the API server do. Their own times are exact."""
_KNOWN = 4096
_SIMILAR = 10
_SIMILAR_WITHIN_S = 600.0
_BURST = 25.0
_REFILL_S = 300.0


@dataclass
class _Told:
    name: str
    count: int
    first_wall_s: float


@dataclass
class _Budget:
    left: float
    updated_s: float


class EventRecorder:
    """Writes the Events of one component.

    Parameters
    ----------
    api : Api
        With the rights to create and patch Events.
    component, host : str
        `source` of the Events.
    """

    def __init__(self, api: Api, component: str, host: str) -> None:
        self._api = api
        self._component = component
        self._host = host
        self._queue: asyncio.Queue[tuple[Object, Kind, str, str, float]] = asyncio.Queue(1000)
        self._told: collections.OrderedDict[tuple[str, ...], _Told] = collections.OrderedDict()
        self._similar: dict[tuple[str, ...], tuple[set[str], float]] = {}
        self._budgets: dict[str, _Budget] = {}
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to send."""
        self._task = asyncio.create_task(self._send_all(), name=f"events of {self._component}")

    async def close(self) -> None:
        """Stop; what is not sent is dropped."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def container(self, pod: Object, name: str, kind: Kind, reason: str, message: str) -> None:
        """Tell what happens to a container of a pod."""
        self.record(pod, kind, reason, message, _field_path(pod, name))

    def record(
        self, item: Object, kind: Kind, reason: str, message: str, field_path: str = ""
    ) -> None:
        """Tell what happens to an object."""
        reference = reference_to(item, field_path)
        if not self._allowed(reference["uid"]):
            return
        try:
            self._queue.put_nowait((reference, kind, reason, message, time.time()))
        except asyncio.QueueFull:
            _log.warning("too many events, dropped: %s %s", reason, message)

    def forget(self, uid: str) -> None:
        """Drop what is known of the events of an object that is gone."""
        self._budgets.pop(uid, None)
        for known in (self._told, self._similar):
            for key in [key for key in known if key[0] == uid]:
                del known[key]

    def _allowed(self, uid: str) -> bool:
        now = time.monotonic()
        budget = self._budgets.setdefault(uid, _Budget(_BURST, now))
        budget.left = min(_BURST, budget.left + (now - budget.updated_s) / _REFILL_S)
        budget.updated_s = now
        if budget.left < 1:
            return False
        budget.left -= 1
        if len(self._budgets) > _KNOWN:
            del self._budgets[next(iter(self._budgets))]
        return True

    async def _send_all(self) -> None:
        while True:
            event = await self._queue.get()
            await asyncio.sleep(_PAUSE_S)
            await self._send_quietly(*event)
            while not self._queue.empty():
                await self._send_quietly(*self._queue.get_nowait())

    async def _send_quietly(
        self, reference: Object, kind: Kind, reason: str, message: str, wall_s: float
    ) -> None:
        try:
            await self._send(reference, kind, reason, message, wall_s)
        except ApiError as error:
            _log.debug("event %s %s: %s", reason, message, error)

    async def _send(
        self, reference: Object, kind: Kind, reason: str, message: str, wall_s: float
    ) -> None:
        group = (reference["uid"], reference.get("fieldPath", ""), kind, reason)
        message, key = self._combined(group, message)
        path = f"/api/v1/namespaces/{reference['namespace'] or 'default'}/events"
        sent = self._told.get(key)
        if sent is not None:
            sent.count += 1
            self._told.move_to_end(key)
            patch = {"count": sent.count, "lastTimestamp": timestamp(wall_s), "message": message}
            try:
                await self._api.patch(f"{path}/{sent.name}", patch)
                return
            except ApiError as error:
                if error.status != 404:
                    raise
        name = f"{reference['name']}.{time.time_ns():x}"
        self._told[key] = _Told(name, 1, wall_s)
        while len(self._told) > _KNOWN:
            self._told.popitem(last=False)
        await self._api.create(path, self._event(name, reference, kind, reason, message, wall_s))

    def _combined(self, group: tuple[str, ...], message: str) -> tuple[str, tuple[str, ...]]:
        """Return the message to write and the key to count by."""
        now = time.monotonic()
        messages, since = self._similar.get(group, (set(), now))
        if now - since > _SIMILAR_WITHIN_S:
            messages = set()
        if len(messages) < _SIMILAR:  # more are not told apart
            messages.add(message)
        self._similar[group] = (messages, now)
        if len(self._similar) > _KNOWN:
            del self._similar[next(iter(self._similar))]
        if len(messages) < _SIMILAR:
            return message, (*group, message)
        return f"(combined from similar events): {message}", (*group, "")

    def _event(
        self, name: str, reference: Object, kind: Kind, reason: str, message: str, wall_s: float
    ) -> Object:
        return {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": name, "namespace": reference["namespace"] or "default"},
            "involvedObject": reference,
            "reason": reason,
            "message": message[:1024],
            "type": kind,
            "count": 1,
            "firstTimestamp": timestamp(wall_s),
            "lastTimestamp": timestamp(wall_s),
            "source": {"component": self._component, "host": self._host},
            "reportingComponent": self._component,
            "reportingInstance": self._host,
        }


def reference_to(item: Object, field_path: str = "") -> Object:
    """Return `involvedObject` for an object."""
    meta = item["metadata"]
    reference = {
        "apiVersion": item.get("apiVersion", "v1"),
        "kind": item.get("kind", "Pod"),
        "namespace": meta.get("namespace", ""),
        "name": meta["name"],
        "uid": meta.get("uid", ""),
        "resourceVersion": meta.get("resourceVersion", ""),
    }
    if field_path:
        reference["fieldPath"] = field_path
    return reference


def _field_path(pod: Object, name: str) -> str:
    for field in ("containers", "initContainers", "ephemeralContainers"):
        if any(container["name"] == name for container in pod["spec"].get(field) or ()):
            return f"spec.{field}{{{name}}}"
    return ""
