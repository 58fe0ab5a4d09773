from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from concurrent_checks import Check, ConcurrentChecks

WAIT_S = 20.0


class Journal:
    """What was running beside each check as it began."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: list[str] = []
        self.order: list[str] = []
        self.beside: dict[str, set[str]] = {}

    def check(self, name: str, shares: str, *, alone: bool = False) -> Check:
        return Check(name, shares, alone, lambda: self._run(name))

    def _run(self, name: str) -> str:
        with self._lock:
            self.order.append(name)
            self.beside[name] = set(self._running)
            for other in self._running:
                self.beside[other].add(name)
            self._running.append(name)
        threading.Event().wait(0.02)
        with self._lock:
            self._running.remove(name)
        return name.upper()


@pytest.fixture
def journal_of() -> Callable[..., Journal]:
    def run(*described: tuple[str, str, bool]) -> Journal:
        journal = Journal()
        checks = [journal.check(name, shares, alone=alone) for name, shares, alone in described]
        concurrent = ConcurrentChecks(checks, 4)
        try:
            assert [concurrent.result(check.key) for check in checks] == [
                check.key.upper() for check in checks
            ]
        finally:
            concurrent.close()
        return journal

    return run


def test_checks_that_share_something_follow_one_another_in_their_order(
    journal_of: Callable[..., Journal],
) -> None:
    journal = journal_of(
        *((f"{shares}{turn}", shares, False) for turn in range(5) for shares in "ab")
    )
    for shares in "ab":
        names = [f"{shares}{turn}" for turn in range(5)]
        assert [name for name in journal.order if name in names] == names
        assert all(not journal.beside[name] & set(names) for name in names)


def test_a_check_that_measures_has_nothing_beside_it_and_is_not_overtaken(
    journal_of: Callable[..., Journal],
) -> None:
    journal = journal_of(
        *((f"before{n}", f"before{n}", False) for n in range(6)),
        ("measures", "measures", True),
        *((f"after{n}", f"after{n}", False) for n in range(6)),
    )
    assert journal.beside["measures"] == set()
    assert journal.order[6] == "measures"


def test_different_things_are_done_at_the_same_time() -> None:
    both = threading.Barrier(2)
    checks = [Check(name, name, False, lambda: both.wait(WAIT_S)) for name in "ab"]
    concurrent = ConcurrentChecks(checks, 2)
    try:
        assert {concurrent.result("a"), concurrent.result("b")} == {0, 1}
    finally:
        concurrent.close()


def test_an_error_comes_to_whoever_asks_and_the_next_ones_go_on() -> None:
    def fail() -> None:
        raise ValueError("no such pod")

    checks = [Check("bad", "same", False, fail), Check("good", "same", False, lambda: "done")]
    concurrent = ConcurrentChecks(checks, 2)
    try:
        with pytest.raises(ValueError, match="no such pod"):
            concurrent.result("bad")
        assert concurrent.result("good") == "done"
    finally:
        concurrent.close()


def test_closing_waits_for_what_runs_and_begins_nothing_more() -> None:
    begun, go = threading.Event(), threading.Event()
    done: list[str] = []

    def first() -> None:
        begun.set()
        go.wait(WAIT_S)
        done.append("first")

    checks = [
        Check("first", "same", False, first),
        Check("second", "same", False, lambda: done.append("second")),
    ]
    concurrent = ConcurrentChecks(checks, 2)
    assert begun.wait(WAIT_S)
    closing = threading.Thread(target=concurrent.close)
    closing.start()
    while concurrent._waiting:
        threading.Event().wait(0.001)
    go.set()
    closing.join(WAIT_S)
    assert done == ["first"]
