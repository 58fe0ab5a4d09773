"""Limits on process trees, with real processes."""

import os
import signal
import time

import pytest

from embedded_kubernetes.node.runtime import limits, proctree


@pytest.fixture
def child():
    """A process that works when it reads a byte; yields its number and how to make it work."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(writing)
        while os.read(reading, 1):
            end = time.process_time() + 0.03
            while time.process_time() < end:
                pass
        os._exit(0)
    os.close(reading)
    yield pid, lambda: os.write(writing, b"x")
    os.close(writing)
    os.kill(pid, signal.SIGCONT)
    os.waitpid(pid, 0)


def worked(pid: int, seconds: float) -> bool:
    return (proctree.cpu_clock_s(pid) or 0.0) >= seconds


def stopped(pid: int) -> bool:
    return proctree.read(f"/proc/{pid}/stat").rpartition(b")")[2].split()[0] == b"T"


def until_stopped(pid: int) -> None:
    """Wait for a signal to arrive: a busy machine delivers it when the process next gets a processor."""
    end_s = time.monotonic() + 10
    while not stopped(pid):
        assert time.monotonic() < end_s
        time.sleep(0.001)


def start_of(pid: int) -> int:
    known = proctree.descent(pid)
    assert known is not None
    return known[1]


def test_what_java_is_told():
    assert limits.java_options({}, None, None) is None
    large = 4 << 30
    assert limits.java_options({}, large, None) == f"-XX:MaxRAM={large}"
    assert limits.java_options({"JAVA_TOOL_OPTIONS": "-Xmx1m"}, large, 2.0) == (
        f"-XX:MaxRAM={large} -XX:ActiveProcessorCount=2 -Xmx1m"
    )


def test_a_small_jvm_takes_the_serial_collector_as_it_would_in_a_cgroup():
    assert limits.java_options({}, 1000, None) == "-XX:MaxRAM=1000 -XX:+UseSerialGC"
    assert limits.java_options({}, None, 0.3) == "-XX:ActiveProcessorCount=1 -XX:+UseSerialGC"
    told = limits.java_options({"JAVA_TOOL_OPTIONS": "-XX:+UseG1GC"}, 1000, None)
    assert told == "-XX:MaxRAM=1000 -XX:+UseG1GC"
    assert limits.java_options({}, 1000, None, ["java", "-XX:+UseZGC"]) == "-XX:MaxRAM=1000"


def test_a_tree_over_its_share_is_paused_until_it_has_earned_it(child):
    pid, work = child
    watch = limits.LimitWatch(lambda: [pid], lambda _: True, lambda: None, None, 0.1)
    now = time.monotonic()
    limits.check(watch, now)
    before = proctree.cpu_clock_s(pid)
    assert before is not None
    work()
    while not worked(pid, before + 0.03):
        time.sleep(0.001)
    again = limits.check(watch, now)
    assert watch.resume_at == again
    until_stopped(pid)
    used_s = (proctree.cpu_clock_s(pid) or 0.0) - before
    # A tenth of a processor earns back what was used, 30 ms or little more: it may then use a whole share at once.
    assert again - now == pytest.approx(used_s / 0.1, abs=0.02)
    assert limits.check(watch, now + 0.1) == again
    limits.check(watch, again)
    assert watch.resume_at is None


async def test_what_is_used_before_the_first_look_counts(child):
    pid, work = child
    watch = limits.LimitWatch(lambda: [pid], lambda _: True, lambda: None, None, 0.1)
    limiter = limits.Limiter()
    limiter.watch("it", watch)
    before = proctree.cpu_clock_s(pid)
    assert before is not None
    work()
    while not worked(pid, before + 0.03):
        time.sleep(0.001)  # the loop is busy meanwhile, so the first look comes late
    # However long a busy machine took for that: what was earned meanwhile is left out.
    assert limits.check(watch, watch.earned_at) == watch.resume_at
    limiter.close()


def test_a_process_belongs_by_number_and_start_or_by_a_parent(child):
    pid, _ = child
    own = os.getpid()
    assert proctree.belongs(pid, {pid: start_of(pid)})
    assert proctree.belongs(pid, {own: start_of(own)})
    assert not proctree.belongs(own, {pid: start_of(pid)})
    assert not proctree.belongs(pid, {pid: start_of(pid) - 1})
    assert not proctree.belongs(pid, {own: start_of(own) - 1})
    assert not proctree.belongs(2**22 - 1, {2**22 - 1: 0})


def test_a_process_that_has_a_former_ones_number_is_not_paused(child):
    pid, work = child
    former = {pid: start_of(pid) - 1}
    watch = limits.LimitWatch(
        lambda: [pid], lambda one: proctree.belongs(one, former), lambda: None, None, 0.1
    )
    now = time.monotonic()
    limits.check(watch, now)
    before = proctree.cpu_clock_s(pid)
    assert before is not None
    work()
    while not worked(pid, before + 0.03):
        time.sleep(0.001)
    assert limits.check(watch, now) == watch.resume_at
    assert not stopped(pid)


def test_memory_over_the_limit_is_reported_for_as_long_as_it_is(child):
    pid, _ = child
    calls = []
    watch = limits.LimitWatch(lambda: [pid], lambda _: True, lambda: calls.append(1), 1000, None)
    for step in range(3):
        limits.check(watch, time.monotonic() + step)
    assert calls == [1, 1, 1]


def test_an_ended_process_uses_nothing(child):
    assert proctree.cpu_clock_s(2**22 - 1) is None
    assert proctree.memory_bytes(2**22 - 1) == 0
    assert proctree.children(2**22 - 1) == []
    assert os.getpid() in proctree.tree([os.getppid()])
    assert child[0] in proctree.children(os.getpid())


async def test_what_two_watches_have_stopped_goes_on_after_the_second(child):
    pid, _ = child
    limiter = limits.Limiter()
    watches = [
        limits.LimitWatch(lambda: [pid], lambda _: True, lambda: None, None, 0.1) for _ in range(2)
    ]
    for key, watch in zip("ab", watches, strict=True):
        limiter.watch(key, watch, "pod")
        now = time.monotonic()
        watch.used_s -= 1.0  # as if it had worked for a second
        assert limits.check(watch, now) == watch.resume_at
    until_stopped(pid)
    limiter.forget("a")
    assert stopped(pid)
    limiter.forget("b")
    end_s = time.monotonic() + 10
    while stopped(pid):
        assert time.monotonic() < end_s
        time.sleep(0.001)
    limiter.close()


def test_files_in_memory_count(child):
    pid, _ = child
    calls = []
    watch = limits.LimitWatch(
        lambda: [pid],
        lambda _: True,
        lambda: calls.append(1),
        1 << 40,
        None,
        files_bytes=lambda: 1 << 41,
    )
    limits.check(watch, time.monotonic())
    assert calls == [1]
