"""A watch that a server ends again and again must not make its follower turn without a pause."""

import asyncio
import time
from typing import Any

from k8s_helpers.embedded.node.api import Informer
from k8s_helpers.embedded.node.events import Recorder


class ShortWatches:
    """An API whose watches end at once, each time with one more event."""

    def __init__(self) -> None:
        self.watches = 0

    async def list(self, path: str, params: Any = None) -> dict[str, Any]:
        return {
            "apiVersion": "v1",
            "kind": "PodList",
            "metadata": {"resourceVersion": "1"},
            "items": [],
        }

    async def watch(self, path: str, version: str, params: Any = None) -> Any:
        self.watches += 1
        if self.watches < 3:
            meta = {"name": f"p{self.watches}", "resourceVersion": str(self.watches)}
            yield "ADDED", {"metadata": meta}


async def test_short_watches_are_asked_for_later_and_later() -> None:
    api = ShortWatches()
    informer = Informer(api, "/api/v1/pods", on_change=lambda kind, item: None)  # type: ignore[arg-type]
    began_s = time.monotonic()
    await informer.start()
    await asyncio.sleep(1.0)
    spent_s = time.monotonic() - began_s
    await informer.close()
    assert set(informer.items) == {("", "p1"), ("", "p2")}
    assert 3 <= api.watches <= 8 + 2 * spent_s


async def test_messages_that_all_differ_are_not_all_kept() -> None:
    recorder = Recorder(None, "kubelet", "node")  # type: ignore[arg-type]
    group = ("uid", "", "Warning", "Unhealthy")
    written = [recorder._combined(group, f"message {one}")[0] for one in range(500)]
    assert written[0] == "message 0"
    assert written[-1] == "(combined from similar events): message 499"
    assert len(recorder._similar[group][0]) <= 10
