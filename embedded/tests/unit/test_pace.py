import asyncio

from virtual_time import virtual_time

from embedded_kubernetes.node.tasks import Pace


@virtual_time
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
    await asyncio.sleep(10.001)
    for task in tasks:
        task.cancel()
    assert turns == 5 + 50 * 10
    assert others == 1 + 100 * 10


@virtual_time
async def test_the_first_turns_need_not_wait_and_come_back_with_time() -> None:
    pace = Pace(3, 20.0)
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    assert [await pace.turn() for _ in range(3)] == [False, False, False]
    assert loop.time() == began_s
    assert await pace.turn()
    assert round(loop.time() - began_s, 6) == 0.05
    await asyncio.sleep(0.125)
    assert [await pace.turn() for _ in range(3)] == [False, False, True]
    await asyncio.sleep(3600)
    assert [await pace.turn() for _ in range(4)] == [False, False, False, True]
