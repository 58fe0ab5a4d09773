"""A watch that a server ends again and again must not make its follower turn without a pause."""

import asyncio
import itertools
import time
from typing import Any

import pytest
from virtual_time import virtual_time

from embedded_kubernetes.node.api import Informer
from embedded_kubernetes.node.events import EventRecorder


class ShortWatches:
    """An API whose watches end at once, each time with one more event."""

    def __init__(self) -> None:
        self.asked_s: list[float] = []

    async def list(self, path: str, params: Any = None) -> dict[str, Any]:
        return {
            "apiVersion": "v1",
            "kind": "PodList",
            "metadata": {"resourceVersion": "1"},
            "items": [],
        }

    async def watch(self, path: str, version: str, params: Any = None) -> Any:
        self.asked_s.append(time.monotonic())
        number = len(self.asked_s)
        if number < 3:
            meta = {"name": f"p{number}", "resourceVersion": str(number)}
            yield "ADDED", {"metadata": meta}


@virtual_time
async def test_short_watches_are_asked_for_later_and_later() -> None:
    api = ShortWatches()
    informer = Informer(api, "/api/v1/pods", on_change=lambda kind, item: None)  # type: ignore[arg-type]
    await informer.start()
    await asyncio.sleep(60)
    await informer.close()
    assert set(informer.items) == {("", "p1"), ("", "p2")}
    pauses_s = [later - earlier for earlier, later in itertools.pairwise(api.asked_s)]
    first_s, longest_s = pauses_s[0], pauses_s[-1]
    # The second watch brought something too: the row starts over.
    assert pauses_s[1:5] == pytest.approx([first_s, 2 * first_s, 4 * first_s, 8 * first_s])
    assert pauses_s[-10:] == pytest.approx([longest_s] * 10)
    assert longest_s >= 0.1  # no more than ten a second


async def test_messages_that_all_differ_are_not_all_kept() -> None:
    recorder = EventRecorder(None, "kubelet", "node")  # type: ignore[arg-type]
    group = ("uid", "", "Warning", "Unhealthy")
    written = [recorder._combined(group, f"message {one}")[0] for one in range(500)]
    assert written[0] == "message 0"
    assert written[-1] == "(combined from similar events): message 499"
    assert len(recorder._similar[group][0]) <= 10
