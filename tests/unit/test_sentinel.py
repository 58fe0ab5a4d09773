"""What notices that a measure is spoiled, without a cluster: the clocks alone."""

from __future__ import annotations

from typing import Any, cast

import pytest

from k8s_helpers._errors import SpoiledError
from k8s_helpers.cluster import sentinel


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The instant that every look at the clocks finds, in seconds."""
    instant = [100.0]
    monkeypatch.setattr(sentinel, "now", lambda: sentinel.Instant(instant[0], instant[0]))
    return instant


def watch() -> sentinel.Sentinel:
    return sentinel.Sentinel(cast(Any, None), "", measuring=True)


def test_time_that_passes_after_the_end_spoils_nothing(clock: list[float]) -> None:
    watching = watch().__enter__()
    watching.close()
    clock[0] += 60.0
    watching.close()
    watching.check()
    assert watching.suspended_s == 0.0


def test_time_that_was_lost_before_the_end_spoils_the_measure(clock: list[float]) -> None:
    watching = watch().__enter__()
    clock[0] += 60.0
    watching.close()
    with pytest.raises(SpoiledError, match="suspendue"):
        watching.check()
