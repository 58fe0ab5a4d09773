"""What a check waits for may come later on a machine that has much to do."""

from __future__ import annotations

import os
from types import SimpleNamespace
from typing import Any, cast

import pytest

from k8s_helpers import _load
from k8s_helpers.exercises import bench as bench_module
from k8s_helpers.exercises.bench import Bench


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Bench:
    """A bench whose clock passes only where something is done or waited for."""
    now = [0.0]

    def pass_by(seconds: float) -> None:
        now[0] += seconds

    clock = SimpleNamespace(monotonic=lambda: now[0], sleep=pass_by)
    monkeypatch.setattr(bench_module, "time", clock)
    nothing = cast(Any, SimpleNamespace(timeout_s=60.0))
    return Bench(nothing, nothing, nothing, {}, nothing)


@pytest.mark.parametrize(
    ("wanting", "processors", "times"),
    [(0.3, 2, 1.0), (2.0, 2, 1.0), (5.0, 2, 2.5), (70.0, 2, 4.0)],
)
def test_how_much_longer_follows_from_what_wants_a_processor(
    monkeypatch: pytest.MonkeyPatch, wanting: float, processors: int, times: float
) -> None:
    monkeypatch.setattr(os, "getloadavg", lambda: (wanting, 0.0, 0.0))
    monkeypatch.setattr(os, "cpu_count", lambda: processors)
    assert _load.slowness() == times


def test_where_the_system_does_not_say_nothing_is_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "getloadavg")
    assert _load.slowness() == 1.0


@pytest.mark.parametrize(("slowness", "found_s"), [(1.0, 2.0), (4.0, 0.5)])
def test_a_busy_machine_gets_more_tries(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, slowness: float, found_s: float
) -> None:
    monkeypatch.setattr(bench_module, "slowness", lambda: slowness)
    lasting_s = iter([3.0, 2.0, 2.0, 2.0, 0.5, 3.0])

    def act() -> bool:
        bench.pause(next(lasting_s))
        return True

    assert bench.quickest_s(act, 0.7, tries=3) == found_s
    assert next(lasting_s) == (2.0 if slowness == 1 else 3.0)


def test_what_was_not_answered_counts_for_nothing(bench: Bench) -> None:
    answers = iter([False, False, True])

    def act() -> bool:
        bench.pause(0.1)
        return next(answers)

    assert bench.quickest_s(act, 0.7, tries=1) == pytest.approx(0.1)
