import os
import signal
import subprocess
import time

import pytest

from embedded_kubernetes.control.watchdog import (
    HUNG_S,
    LATE_S,
    STOPPED_S,
    TICK_S,
    Starvation,
    Watchdog,
    is_stopped,
)


def ticks(watchdog: Watchdog, seconds: float, *, stopped: bool = False) -> None:
    for _ in range(round(seconds / TICK_S)):
        watchdog.tick(TICK_S, stopped=stopped)


def test_a_start_may_take_as_long_as_it_likes() -> None:
    watchdog = Watchdog()
    ticks(watchdog, 10 * HUNG_S)
    assert not watchdog.late


def test_a_silence_is_shown_then_ended() -> None:
    watchdog = Watchdog()
    watchdog.heard()
    ticks(watchdog, LATE_S - TICK_S)
    assert not watchdog.late and watchdog.words() == ""
    ticks(watchdog, TICK_S)
    assert watchdog.late and not watchdog.hung
    assert watchdog.words() == f"ne répond plus depuis {LATE_S:.0f} s"
    ticks(watchdog, HUNG_S - LATE_S)
    assert watchdog.hung
    watchdog.heard()
    assert not watchdog.late


def test_what_a_signal_has_stopped_is_ended_sooner() -> None:
    watchdog = Watchdog()
    ticks(watchdog, STOPPED_S, stopped=True)
    assert watchdog.hung
    assert watchdog.words() == f"suspendu par un signal depuis {STOPPED_S:.0f} s"
    ticks(watchdog, TICK_S)
    assert not watchdog.late


@pytest.mark.parametrize("asleep_s", [5.0, 120.0, 86400.0])
def test_the_watchers_own_sleep_is_nobodys_silence(asleep_s: float) -> None:
    watchdog = Watchdog()
    watchdog.heard()
    watchdog.tick(asleep_s, stopped=True)
    assert not watchdog.hung
    watchdog.tick(TICK_S, stopped=False)
    assert not watchdog.late


def test_waiting_for_a_processor_is_no_silence() -> None:
    watchdog = Watchdog()
    watchdog.heard()
    for _ in range(round(8 * HUNG_S / TICK_S)):
        watchdog.tick(TICK_S, stopped=False, starved_s=0.9 * TICK_S)
    assert watchdog.late and not watchdog.hung


def test_a_stopped_process_is_told_from_one_that_sleeps() -> None:
    with subprocess.Popen(["sleep", "30"]) as process:
        try:
            assert not is_stopped(process.pid)
            os.kill(process.pid, signal.SIGSTOP)
            end_s = time.monotonic() + 10
            while not is_stopped(process.pid):
                assert time.monotonic() < end_s
            os.kill(process.pid, signal.SIGCONT)
            while is_stopped(process.pid):
                assert time.monotonic() < end_s
        finally:
            process.kill()
    assert not is_stopped(process.pid)


def test_a_process_that_sleeps_is_not_starved() -> None:
    sleeps = subprocess.Popen(["sleep", "30"])
    try:
        starvation = Starvation()
        starvation.since_last_s(sleeps.pid, 0.0)
        time.sleep(0.2)
        assert starvation.since_last_s(sleeps.pid, 0.2) < 0.05
    finally:
        sleeps.kill()
        sleeps.wait()
    assert starvation.since_last_s(sleeps.pid, 0.2) == 0.0
