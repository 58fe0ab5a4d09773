"""When something more may begin."""

from __future__ import annotations

from typing import NamedTuple

import processors
import pytest


class Times(NamedTuple):
    """As `psutil.cpu_times()`, of a machine whose processors we decide."""

    user: float
    idle: float
    iowait: float = 0.0


class Machine:
    """Time passes as we say."""

    def __init__(self) -> None:
        self.now_s, self.times = 0.0, Times(0.0, 0.0)

    def passes(self, seconds: float, busy_share: float) -> None:
        self.now_s += seconds
        user, idle, _ = self.times
        self.times = Times(user + 2 * seconds * busy_share, idle + 2 * seconds * (1 - busy_share))


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    machine = Machine()
    monkeypatch.setattr(processors.psutil, "cpu_times", lambda: machine.times)
    monkeypatch.setattr(processors.time, "monotonic", lambda: machine.now_s)
    return machine


def test_the_first_may_begin_and_the_next_waits_a_moment(machine: Machine) -> None:
    turnstile = processors.Turnstile(settle_s=2.0)
    assert turnstile.lets_in()
    machine.passes(1.0, busy_share=0.1)
    assert not turnstile.lets_in()
    machine.passes(1.0, busy_share=0.1)
    assert turnstile.lets_in()


def test_nothing_begins_while_all_processors_are_busy(machine: Machine) -> None:
    turnstile = processors.Turnstile(settle_s=2.0)
    for _ in range(20):
        machine.passes(1.0, busy_share=1.0)
        let_in = turnstile.lets_in()
    assert not let_in
    for _ in range(3):
        machine.passes(1.0, busy_share=0.2)
        let_in = let_in or turnstile.lets_in()
    assert let_in


def test_how_often_it_is_asked_changes_nothing(machine: Machine) -> None:
    often, seldom = processors.Processors(), processors.Processors()
    for _ in range(40):
        machine.passes(0.1, busy_share=1.0)
        often.look()
    seldom.look()
    assert often.idle_share == pytest.approx(seldom.idle_share)
    assert seldom.busy_percent == pytest.approx(100)
