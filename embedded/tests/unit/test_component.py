import asyncio
import os
from pathlib import Path

import pytest

from embedded_kubernetes.config import ClusterConfig
from embedded_kubernetes.control.component import (
    SHORT_LIVES,
    ComponentProcess,
    describe_exit,
    restart_delay_s,
)
from embedded_kubernetes.control.control_plane import ComponentSpec


@pytest.fixture
def config(tmp_path: Path) -> ClusterConfig:
    (tmp_path / "logs").mkdir()
    return ClusterConfig("c", str(tmp_path), str(tmp_path), 0, "v1", "/nowhere", 1, 2, 3, 4, ())


def test_restarts_are_quick_at_first_and_slow_down_to_a_limit() -> None:
    delays = [restart_delay_s(count) for count in range(12)]
    assert delays[0] <= 0.1
    assert delays == sorted(delays)
    assert delays[-1] == delays[-2] == 2.0


@pytest.mark.parametrize(
    ("returncode", "words"),
    [(-9, "signal 9 (SIGKILL)"), (1, "code 1"), (0, "code 0"), (-200, "signal 200 (?)")],
)
def test_an_exit_is_told_in_words(returncode: int, words: str) -> None:
    assert words in describe_exit(returncode)


async def test_a_program_that_is_not_there_is_given_up_at_once(config: ClusterConfig) -> None:
    told: list[str] = []
    component = ComponentProcess(
        ComponentSpec("ghost", ("/nowhere/ghost",)),
        config,
        on_incident=lambda *_: None,
        on_given_up=lambda _, how: told.append(how),
    )
    component.start()
    assert component.pid is None
    assert len(told) == 1
    assert "/nowhere/ghost" in told[0]


async def test_a_program_that_says_that_it_cannot_live_here_is_not_started_again(
    config: ClusterConfig,
) -> None:
    given_up: asyncio.Queue[str] = asyncio.Queue()
    component = ComponentProcess(
        ComponentSpec("node", ("/bin/sh", "-c", f"echo here is why; exit {os.EX_CONFIG}")),
        config,
        on_incident=lambda _, what: pytest.fail(what),
        on_given_up=lambda _, how: given_up.put_nowait(how),
    )
    component.start()
    how = await asyncio.wait_for(given_up.get(), 10)
    assert how == "ne peut plus vivre sur cette machine : here is why"
    assert component.pid is None and component.restarts == 0


async def test_a_program_that_dies_again_and_again_is_given_up(config: ClusterConfig) -> None:
    told: list[str] = []
    given_up = asyncio.Event()
    component = ComponentProcess(
        ComponentSpec("short", ("/bin/sh", "-c", "echo last words; exit 3")),
        config,
        on_incident=lambda _, what: told.append(what),
        on_given_up=lambda *_: given_up.set(),
    )
    component.start()
    await asyncio.wait_for(given_up.wait(), 30)
    assert len(told) == component.restarts == SHORT_LIVES - 1
    assert all("code 3" in what for what in told)
    assert component.log.read_text() == "last words\n" * SHORT_LIVES


async def test_a_program_that_ignores_sigterm_is_killed_and_not_brought_back(
    config: ClusterConfig,
) -> None:
    ready = config.path / "ready"
    script = f"trap '' TERM; touch {ready}; while :; do sleep 0.05; done"
    component = ComponentProcess(
        ComponentSpec("deaf", ("/bin/sh", "-c", script)),
        config,
        on_incident=lambda _, what: pytest.fail(what),
        on_given_up=lambda _, how: pytest.fail(how),
    )
    component.start()
    while not ready.exists():
        await asyncio.sleep(0.01)
    await component.stop(0.1)
    assert component.pid is None
