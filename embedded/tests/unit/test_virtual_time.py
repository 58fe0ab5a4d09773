"""The clock that other tests go by."""

import asyncio
import time

import pytest
from virtual_time import START_WALL_S, virtual_time


@virtual_time
async def test_an_hour_passes_at_once_for_whoever_waits() -> None:
    began_s, came = time.monotonic(), []

    async def after(delay_s: float) -> None:
        await asyncio.sleep(delay_s)
        came.append((delay_s, round(time.monotonic() - began_s, 6)))

    await asyncio.gather(*(after(delay_s) for delay_s in (3600, 0.5, 0, 60)))
    assert came == [(0, 0), (0.5, 0.5), (60, 60), (3600, 3600)]
    assert time.time() == pytest.approx(START_WALL_S + 3600)


@virtual_time
async def test_a_time_out_comes_in_its_turn() -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(10):
            await asyncio.Event().wait()


def test_the_real_clock_is_back_afterwards() -> None:
    test_a_time_out_comes_in_its_turn()
    assert abs(time.time() - START_WALL_S) > 1
