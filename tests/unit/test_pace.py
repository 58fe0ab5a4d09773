import asyncio
import time

from k8s_helpers.embedded.node.pace import Pace


async def test_a_loop_that_wakes_itself_leaves_room_for_others() -> None:
    pace, turns, others = Pace(5, 50.0), 0, 0

    async def restless() -> None:
        nonlocal turns
        while True:
            await pace.turn()
            turns += 1

    async def other() -> None:
        nonlocal others
        while True:
            others += 1
            await asyncio.sleep(0.01)

    tasks = [asyncio.create_task(restless()), asyncio.create_task(other())]
    began_s = time.monotonic()
    await asyncio.sleep(0.4)
    spent_s = time.monotonic() - began_s
    for task in tasks:
        task.cancel()
    assert 5 < turns <= 5 + 50 * spent_s + 1
    assert others > 5


async def test_the_first_turns_need_not_wait_and_come_back_with_time() -> None:
    pace = Pace(3, 20.0)
    assert [await pace.turn() for _ in range(4)] == [False, False, False, True]
    await asyncio.sleep(0.12)
    assert not await pace.turn()
