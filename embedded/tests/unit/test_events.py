"""What a recorder of Events keeps in mind, and for how long."""

from __future__ import annotations

from typing import Any

from embedded_kubernetes.node.events import EventRecorder


class Api:
    """Takes what it is given."""

    def __init__(self) -> None:
        self.created: list[dict[str, Any]] = []
        self.patched: list[dict[str, Any]] = []

    async def create(self, path: str, item: dict[str, Any]) -> None:
        self.created.append(item)

    async def patch(self, path: str, patch: dict[str, Any]) -> None:
        self.patched.append(patch)


def pod(uid: str) -> dict[str, Any]:
    return {"metadata": {"name": f"pod-{uid}", "namespace": "n", "uid": uid}, "spec": {}}


async def tell(recorder: EventRecorder, uid: str) -> None:
    reference = {"uid": uid, "namespace": "n", "name": f"pod-{uid}"}
    await recorder._send(reference, "Normal", "Started", "Container started", 0.0)


async def test_what_is_known_of_a_pod_goes_with_it_and_of_another_stays() -> None:
    api = Api()
    recorder = EventRecorder(api, "kubelet", "node")  # type: ignore[arg-type]
    for uid in ("gone", "stays"):
        assert recorder._allowed(uid)
        await tell(recorder, uid)
        await tell(recorder, uid)
    assert len(api.created) == 2 and [patch["count"] for patch in api.patched] == [2, 2]
    recorder.forget("gone")
    await tell(recorder, "stays")
    assert api.patched[-1]["count"] == 3
    for known in (recorder._told, recorder._similar):
        assert {key[0] for key in known} == {"stays"}
    assert set(recorder._budgets) == {"stays"}
    await tell(recorder, "gone")
    assert len(api.created) == 3  # a new Event: the old one is not counted on
