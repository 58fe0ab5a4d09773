"""What is predicted of a leak: the heap, the death, the restarts; held against a real JVM and the embedded node."""

from __future__ import annotations

import runpy
import shutil
import subprocess

import pytest

from embedded_kubernetes.node.rules import restarts as node
from k8s_helpers._paths import COURSE
from k8s_helpers.forecasts import restarts
from k8s_helpers.forecasts.span import Span
from k8s_helpers.labs.memory import forecast as memory

MIB = 1 << 20


HEAPS = {
    (64, ""): 32,
    (100, ""): 50,
    (100, "-XX:MaxRAMPercentage=75"): 50,
    (100, "-XX:MinRAMPercentage=80"): 80,
    (200, ""): 100,
    (200, "-XX:MaxRAMPercentage=75"): 100,
    (200, "-XX:MaxRAMPercentage=75 -XX:MinRAMPercentage=75"): 150,
    (249, "-XX:MaxRAMPercentage=75"): 126,
    (250, "-XX:MaxRAMPercentage=75"): 188,
    (256, ""): 126,
    (256, "-XX:MinRAMPercentage=25"): 64,
    (300, "-XX:MaxRAMPercentage=10"): 126,
    (400, ""): 126,
    (512, ""): 128,
    (512, "-XX:MaxRAMPercentage=75"): 384,
    (512, "-XX:MaxRAMPercentage=75.5"): 388,
    (512, "-XX:MaxRAMPercentage=50 -XX:MaxRAMPercentage=75"): 384,
    (512, "-XX:MaxRAMPercentage=75 -Xmx300m"): 300,
    (512, "-Xmx64m -Xmx384m"): 384,
    (512, "-Xmx384m -Xmx64m"): 64,
    (512, "-Xmx100m -XX:MaxHeapSize=300m"): 300,
    (512, "-XX:MaxHeapSize=300m -Xmx100m"): 100,
    (512, "-Xmx301m"): 302,
    (512, "-Xmx65537k"): 66,
    (512, "-Xmx1G"): 1024,
    (512, "-Xmx1t"): 1 << 20,
    (512, "-Xmx104857600"): 100,
    (1000, ""): 250,
    (2048, ""): 512,
    (2048, "-XX:MaxRAMPercentage=10"): 206,
}
"""MiB of heap by MiB of limit and options, as OpenJDK 17.0.15 prints them with `-XX:+PrintFlagsFinal`."""

every_heap = pytest.mark.parametrize(("limit_mib", "options"), HEAPS)


@every_heap
def test_the_heap_of_a_jvm_in_a_container(limit_mib: int, options: str) -> None:
    assert memory.heap_bytes(limit_mib * MIB, options) == HEAPS[limit_mib, options] * MIB


@every_heap
def test_the_stand_in_of_the_leak_has_the_same_heap(limit_mib: int, options: str) -> None:
    found = runpy.run_path(str(COURSE / "apps" / "fuite" / "standin" / "main.py"))
    assert found["heap_max_bytes"](limit_mib * MIB, options) == HEAPS[limit_mib, options] * MIB


@pytest.mark.skipif(shutil.which("java") is None, reason="no Java here")
@every_heap
def test_a_real_jvm_says_the_same(limit_mib: int, options: str) -> None:
    argv = ["java", f"-XX:MaxRAM={limit_mib * MIB}", "-XX:+UseSerialGC", "-XX:+PrintFlagsFinal"]
    argv += options.split()
    done = subprocess.run([*argv, "-version"], capture_output=True, text=True, check=True)
    (line,) = [line for line in done.stdout.splitlines() if " MaxHeapSize " in line]
    assert int(line.split()[3]) == HEAPS[limit_mib, options] * MIB


def test_a_small_heap_ends_the_jvm_and_a_large_one_the_container() -> None:
    small = memory.death(512 * MIB, 128 * MIB, 64 * MIB)
    assert (small.reason, small.exit_code) == ("Error", 1)
    assert small.after == Span(1.6, 5.0)
    large = memory.death(512 * MIB, 1024 * MIB, 64 * MIB)
    assert (large.reason, large.exit_code) == ("OOMKilled", 137)
    assert 6.0 < large.after.lo_s < 7.0 < 10.0 < large.after.hi_s < 11.0


OUTSIDE_MIB = (10, 110)
"""What a small JVM takes besides its heap, at the least and at the most."""


@pytest.mark.parametrize(
    ("heap_mib", "code", "held_mib"),
    [
        # All of the heap and the most beside it stay below the limit: 80 to 100 % of the heap are full first.
        (401, 1, (0.8 * 401, 401)),
        (402, None, (0.8 * 402, 502)),
        # The two orders are possible: the heap, or what the limit leaves for what is held.
        (460, None, (0.8 * 460, 502)),
        (510, None, (402, 502)),
        (627, None, (402, 502)),
        # The least of both is beyond the limit.
        (628, 137, (402, 502)),
    ],
)
def test_whoever_is_met_first_ends_it_and_where_that_is_open_so_is_its_end(
    heap_mib: int, code: int | None, held_mib: tuple[float, float]
) -> None:
    assert tuple(MIB * size_mib for size_mib in OUTSIDE_MIB) == memory.OUTSIDE_HEAP_BYTES
    found = memory.death(512 * MIB, heap_mib * MIB, 64 * MIB)
    assert found.exit_code == code
    assert found.reason == {1: "Error", 137: "OOMKilled", None: None}[code]
    start = memory.JVM_START
    assert found.after.lo_s == pytest.approx(held_mib[0] / 64 + start.lo_s)
    assert found.after.hi_s == pytest.approx(held_mib[1] / 64 + start.hi_s)


def test_a_limit_that_a_jvm_does_not_fit_in_kills_at_once() -> None:
    found = memory.death(50 * MIB, 64 * MIB, 10 * MIB)
    assert found.exit_code == 137
    assert found.after.lo_s == memory.JVM_START.lo_s


def test_the_back_off_doubles_up_to_five_minutes_and_begins_again_after_ten() -> None:
    assert restarts.delays([5.0] * 8) == (0, 10, 20, 40, 80, 160, 300, 300)
    assert restarts.delays([5.0, 5.0, 601.0, 5.0]) == (0, 10, 0, 10)
    assert restarts.delays([5.0, 5.0, 600.0, 5.0]) == (0, 10, 20, 40)
    assert restarts.delays([]) == ()


def test_the_embedded_node_waits_as_predicted() -> None:
    back_off, now_s, waits = node.BackOff(), 0.0, []
    ran = [3.0, 3.0, 3.0, 3.0, 3.0, 3.0, 3.0, 700.0, 3.0]
    for ran_s in ran:
        died_s = now_s + ran_s
        wait_s = back_off.remaining_s("pod/c", died_s, died_s)
        waits.append(wait_s)
        now_s = died_s + wait_s
        back_off.next("pod/c", died_s, now_s)
    assert tuple(waits) == restarts.delays(ran)


def test_starts_are_intervals_that_grow_with_what_is_not_known() -> None:
    found = restarts.starts(Span(0.0, 2.0), Span(3.0, 4.0), 3)
    assert [one.lo_s for one in found] == [0.0, 3.0, 16.0, 39.0]
    assert [one.hi_s for one in found] == [2.0, 10.0, 33.0, 71.0]
    assert found[1].holds(3.0) and not found[1].holds(2.9) and found[1].holds(2.9, 0.2)


def test_the_kubelet_oversleeps_by_half_at_most_and_by_half_a_minute_of_a_long_wait() -> None:
    assert restarts.wait(40.0) == Span(40.0, 64.0)
    assert restarts.wait(300.0) == Span(300.0, 334.0)
