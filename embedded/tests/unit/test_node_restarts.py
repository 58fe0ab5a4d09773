import pytest

from embedded_kubernetes.node.rules.restarts import (
    BackOff,
    crash_loop_message,
    go_duration,
    requeue_s,
)


def crashes(back_off, run_s, times):
    """Let something run and crash again and again; return how long each restart had to wait."""
    now_s, waits = 0.0, []
    for _ in range(times):
        now_s += run_s
        wait_s = back_off.remaining_s("pod/main", now_s, now_s)
        waits.append(wait_s)
        ended_s, now_s = now_s, now_s + wait_s
        assert back_off.remaining_s("pod/main", ended_s, now_s) == 0
        back_off.next("pod/main", ended_s, now_s)
    return waits


def test_the_first_restart_is_immediate_and_the_wait_doubles_up_to_five_minutes():
    assert crashes(BackOff(), 1.0, 9) == [0, 10, 20, 40, 80, 160, 300, 300, 300]


def test_what_ran_for_more_than_ten_minutes_begins_again():
    assert crashes(BackOff(), 601.0, 4) == [0, 0, 0, 0]
    back_off = BackOff()
    crashes(back_off, 1.0, 6)
    assert back_off.delay_s("pod/main") == 300
    back_off.next("pod/main", 100_000.0, 100_000.0)
    assert back_off.delay_s("pod/main") == 10


def test_the_wait_counts_from_the_end_of_the_last_run():
    back_off = BackOff()
    back_off.next("k", 0.0, 0.0)
    assert back_off.remaining_s("k", 3.0, 5.0) == 8.0
    assert back_off.remaining_s("k", 3.0, 13.0) == 0.0


@pytest.mark.parametrize(("ran_s", "begins_again"), [(600.0, False), (600.1, True)])
def test_it_begins_again_after_more_than_twice_the_longest_wait(ran_s, begins_again):
    """`hasExpired` of client-go's back-off: the time since the last one is over twice the maximum."""
    back_off = BackOff()
    crashes(back_off, 1.0, 3)
    last_s = back_off.updated_s("pod/main")
    ended_s = last_s + ran_s
    assert (back_off.remaining_s("pod/main", ended_s, ended_s) == 0) == begins_again
    back_off.next("pod/main", ended_s, ended_s)
    assert back_off.delay_s("pod/main") == (10 if begins_again else 80)
    assert back_off.updated_s("pod/main") == ended_s


def test_what_never_crashed_has_no_wait():
    back_off = BackOff()
    assert back_off.delay_s("pod/main") == 0.0
    assert back_off.updated_s("pod/main") < -1e300
    assert back_off.remaining_s("pod/main", 0.0, 0.0) == 0.0


def test_keys_are_apart_and_forgotten_by_pod():
    back_off = BackOff()
    back_off.next("a/main", 0.0, 0.0)
    back_off.next("b/main", 0.0, 0.0)
    back_off.forget("a")
    assert back_off.remaining_s("a/main", 1.0, 1.0) == 0.0
    assert back_off.remaining_s("b/main", 1.0, 1.0) == 10.0


@pytest.mark.parametrize(
    ("wait_s", "shortest_s", "longest_s"),
    [(0, 0, 0), (10, 10, 15), (40, 40, 60), (60, 60, 90), (300, 60, 90)],
)
def test_a_pod_that_waits_is_looked_at_up_to_half_later_and_after_a_minute_at_the_latest(
    wait_s, shortest_s, longest_s
):
    assert requeue_s(wait_s, 0.0) == shortest_s
    assert requeue_s(wait_s, 1.0) == longest_s
    drawn = [requeue_s(wait_s) for _ in range(200)]
    assert all(shortest_s <= one <= longest_s for one in drawn)
    assert wait_s == 0 or max(drawn) - min(drawn) > (longest_s - shortest_s) / 2


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s"), (10, "10s"), (80, "1m20s"), (300, "5m0s"), (3600, "1h0m0s")],
)
def test_durations_are_printed_as_go_does(seconds, text):
    assert go_duration(seconds) == text


def test_the_message_of_a_crash_loop():
    assert crash_loop_message(40, "main", "web_shop(123)") == (
        "back-off 40s restarting failed container=main pod=web_shop(123)"
    )
