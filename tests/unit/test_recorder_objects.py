"""From objects of the API to events: what is told, when it was, and where that is known from."""

from __future__ import annotations

from typing import Any

import pytest

from k8s_helpers.measure.objects import Clock, EndpointsWatch, EventsWatch, PodWatch, version_of

WALL_S = 1_767_225_600.0  # 2026-01-01T00:00:00Z
CLOCK = Clock(zero_monotonic_s=1000.0, zero_wall_s=WALL_S)


def pod(**changes: Any) -> dict[str, Any]:
    metadata = {
        "name": "vitrine-1",
        "uid": "u1",
        "creationTimestamp": "2026-01-01T00:00:05Z",
        "labels": {"app": "vitrine", "version": "v2"},
        **changes.pop("metadata", {}),
    }
    spec = {"nodeName": "n1", "containers": [{"name": "vitrine", "image": "vitrine:v2"}]}
    return {"metadata": metadata, "spec": spec, "status": changes}


def container(state: dict[str, Any], restarts: int = 0, **last: Any) -> dict[str, Any]:
    return {"name": "vitrine", "restartCount": restarts, "state": state, "lastState": last}


def condition(kind: str, status: str, at: str = "2026-01-01T00:00:05Z") -> dict[str, str]:
    return {"type": kind, "status": status, "lastTransitionTime": at}


RUNNING = {"running": {"startedAt": "2026-01-01T00:00:05Z"}}


def kinds(events: Any) -> list[str]:
    return [event.kind for event in events]


def test_a_life_is_told_once_in_order() -> None:
    watch = PodWatch(CLOCK)
    assert kinds(watch.take("ADDED", pod(), 1005.1)) == ["created"]
    scheduled = pod(conditions=[condition("PodScheduled", "True"), condition("Ready", "False")])
    assert kinds(watch.take("MODIFIED", scheduled, 1005.2)) == ["scheduled"]
    running = pod(
        conditions=[condition("PodScheduled", "True"), condition("Ready", "False")],
        containerStatuses=[container(RUNNING)],
    )
    assert kinds(watch.take("MODIFIED", running, 1005.3)) == ["started"]
    ready = pod(
        conditions=[condition("PodScheduled", "True"), condition("Ready", "True")],
        containerStatuses=[container(RUNNING)],
    )
    assert kinds(watch.take("MODIFIED", ready, 1005.4)) == ["ready"]
    assert kinds(watch.take("MODIFIED", ready, 1005.5)) == []
    ending = {"deletionTimestamp": "2026-01-01T00:00:40Z", "deletionGracePeriodSeconds": 30}
    (told,) = watch.take("MODIFIED", pod(metadata=ending, **ready["status"]), 1010.0)
    assert (told.kind, told.at_s, told.source, told.detail) == (
        "terminating",
        10.0,
        "receipt",
        "grace 30 s",
    )
    ended = container({"terminated": {"exitCode": 143, "reason": "Error"}})
    done = pod(metadata=ending, conditions=[condition("Ready", "False")], containerStatuses=[ended])
    events = watch.take("MODIFIED", done, 1011.0)
    assert [(event.kind, event.detail) for event in events] == [
        ("died", "Error 143"),
        ("exited", "Error 143"),
        ("unready", ""),
    ]
    assert kinds(watch.take("DELETED", done, 1011.1)) == ["deleted"]


def test_the_receipt_is_preferred_as_it_is_finer_than_whole_seconds() -> None:
    (event,) = PodWatch(CLOCK).take("ADDED", pod(), 1006.25)
    assert (event.at_s, event.source) == (6.25, "receipt")


def test_what_happened_long_before_its_receipt_is_told_with_the_time_of_the_api() -> None:
    old = pod(
        metadata={"creationTimestamp": "2025-12-31T23:59:50Z"},
        conditions=[condition("Ready", "True", "2025-12-31T23:59:53Z")],
    )
    events = PodWatch(CLOCK).take("ADDED", old, 1000.05)
    assert [(event.kind, event.at_s, event.source) for event in events] == [
        ("created", -10.0, "api"),
        ("ready", -7.0, "api"),
    ]


def test_what_a_list_shows_as_done_already_is_told_with_the_time_of_the_api() -> None:
    young = pod(
        conditions=[condition("Ready", "True", "2026-01-01T00:00:06Z")],
        containerStatuses=[container(RUNNING)],
    )
    events = PodWatch(CLOCK).take("ADDED", young, 1006.5)
    assert [(event.kind, event.at_s, event.source) for event in events] == [
        ("created", 5.0, "api"),
        ("started", 5.0, "api"),
        ("ready", 6.0, "api"),
    ]


def test_a_restart_says_how_the_container_ended() -> None:
    watch = PodWatch(CLOCK)
    watch.take("ADDED", pod(containerStatuses=[container(RUNNING)]), 1005.0)
    last = {
        "terminated": {"exitCode": 137, "reason": "OOMKilled", "finishedAt": "2026-01-01T00:00:06Z"}
    }
    events = watch.take("MODIFIED", pod(containerStatuses=[container(RUNNING, 1, **last)]), 1006.9)
    assert [(event.kind, event.container, event.detail) for event in events] == [
        ("died", "vitrine", "OOMKilled 137"),
        ("started", "vitrine", ""),
        ("restarted", "vitrine", "OOMKilled 137"),
    ]
    assert (
        watch.take("MODIFIED", pod(containerStatuses=[container(RUNNING, 1, **last)]), 1007.0) == ()
    )


def test_a_container_that_backs_off_tells_each_death_wait_and_start_once() -> None:
    watch = PodWatch(CLOCK)
    watch.take("ADDED", pod(containerStatuses=[container(RUNNING)]), 1005.0)
    told = []
    for round_number in range(2):
        died = {"exitCode": 1, "reason": "Error", "containerID": f"run-{round_number}"}
        states = [
            container({"terminated": died}, round_number),
            container({"waiting": {"reason": "CrashLoopBackOff"}}, round_number, terminated=died),
            container(RUNNING, round_number + 1, terminated=died),
        ]
        for state in [one for one in states for _ in range(2)]:
            told += kinds(watch.take("MODIFIED", pod(containerStatuses=[state]), 1006.0))
    # All containers of the pod had ended, which is told the first time only.
    assert told == [
        *("died", "exited", "waiting", "started", "restarted"),
        *("died", "waiting", "started", "restarted"),
    ]


def test_an_event_is_told_each_time_its_count_grows() -> None:
    watch = EventsWatch(CLOCK)

    def event(count: int) -> dict[str, Any]:
        return {
            "metadata": {"uid": "e1"},
            "involvedObject": {"kind": "Pod", "name": "vitrine-1"},
            "reason": "Unhealthy",
            "message": "Readiness probe failed",
            "type": "Warning",
            "count": count,
            "lastTimestamp": "2026-01-01T00:00:05Z",
        }

    (first,) = watch.take("ADDED", event(1), 1005.25)
    assert (first.at_s, first.kind, first.name, first.count) == (5.25, "Pod", "vitrine-1", 1)
    assert first.warning and first.reason == "Unhealthy"
    assert watch.take("MODIFIED", event(1), 1005.4) == ()
    (again,) = watch.take("MODIFIED", event(3), 1006.0)
    assert again.count == 3
    assert watch.take("DELETED", event(3), 1007.0) == ()


def test_a_pod_that_flaps_is_ready_twice() -> None:
    watch = PodWatch(CLOCK)
    told = []
    for number, status in enumerate(["True", "False", "True"]):
        told += kinds(
            watch.take("MODIFIED", pod(conditions=[condition("Ready", status)]), 1005 + number)
        )
    assert told == ["created", "ready", "unready", "ready"]


@pytest.mark.parametrize(
    ("labels", "image", "expected"),
    [
        ({"version": "v3"}, "vitrine:v2", "v3"),
        ({}, "vitrine:v2", "v2"),
        ({}, "registry:5000/vitrine", None),
        ({}, "vitrine", None),
    ],
)
def test_the_version_is_the_label_or_the_tag(
    labels: dict[str, str], image: str, expected: str
) -> None:
    found = {"metadata": {"labels": labels}, "spec": {"containers": [{"image": image}]}}
    assert version_of(found) == expected


def endpoint_slice(uid: str, service: str = "vitrine", **ready: bool | None) -> dict[str, Any]:
    endpoints = [
        {
            "addresses": [f"10.0.0.{number}"],
            "conditions": {} if state is None else {"ready": state},
            "targetRef": {"kind": "Pod", "name": name},
        }
        for number, (name, state) in enumerate(ready.items())
    ]
    labels = {"kubernetes.io/service-name": service}
    return {"metadata": {"uid": uid, "labels": labels}, "endpoints": endpoints}


def test_endpoints_are_the_ready_pods_of_all_slices_of_a_service() -> None:
    watch = EndpointsWatch(CLOCK)
    (first,) = watch.take("ADDED", endpoint_slice("s1", a=True, b=False, c=None), 1001.0)
    assert (first.at_s, first.service, first.ready) == (1.0, "vitrine", ("a", "c"))
    (second,) = watch.take("ADDED", endpoint_slice("s2", d=True), 1002.0)
    assert second.ready == ("a", "c", "d")
    assert watch.take("MODIFIED", endpoint_slice("s2", d=True), 1003.0) == ()
    (other,) = watch.take("ADDED", endpoint_slice("s3", service="autre", z=True), 1003.0)
    assert (other.service, other.ready) == ("autre", ("z",))
    (third,) = watch.take("DELETED", endpoint_slice("s1", a=True), 1004.0)
    assert third.ready == ("d",)


def test_a_slice_of_no_service_and_one_without_endpoints_are_harmless() -> None:
    watch = EndpointsWatch(CLOCK)
    assert watch.take("ADDED", {"metadata": {"uid": "s"}, "endpoints": None}, 1000.0) == ()
    empty = {
        "metadata": {"uid": "s", "labels": {"kubernetes.io/service-name": "x"}},
        "endpoints": None,
    }
    (event,) = watch.take("ADDED", empty, 1000.0)
    assert event.ready == ()
