"""The one bounded wait: it looks at once and once more at the end, and ends where a look raises."""

from __future__ import annotations

import time

import pytest

from k8s_helpers._errors import SpoiledError, WaitTimeoutError
from k8s_helpers.kube.waiting import wait_until


def test_what_is_there_already_needs_no_pause() -> None:
    def pause(seconds: float) -> None:
        raise AssertionError("paused")

    assert wait_until(lambda: "found", 0, pause=pause) == "found"


def test_a_last_look_is_taken_when_the_time_is_over() -> None:
    looks: list[float] = []
    end_s = time.monotonic() + 0.2

    def look() -> bool:
        looks.append(time.monotonic())
        return time.monotonic() >= end_s

    assert wait_until(look, 0.2, every_s=0.15)
    assert len(looks) == 3 and looks[-1] < end_s + 0.1


def test_the_last_look_is_returned_or_makes_the_error() -> None:
    assert wait_until(list, 0.0) == []
    with pytest.raises(WaitTimeoutError, match="il y en a 0"):
        wait_until(list, 0.0, lambda seen: WaitTimeoutError("a", f"il y en a {len(seen)}", "b"))


def test_what_a_look_or_a_pause_raises_ends_the_wait() -> None:
    def spoiled(*_: float) -> bool:
        raise SpoiledError("a", "b", "c")

    began_s = time.monotonic()
    with pytest.raises(SpoiledError):
        wait_until(spoiled, 60)
    with pytest.raises(SpoiledError):
        wait_until(lambda: False, 60, pause=spoiled)
    assert time.monotonic() - began_s < 1
