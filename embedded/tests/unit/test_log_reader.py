"""`kubectl logs` over a CRI log file."""

import asyncio

import pytest

from embedded_kubernetes.node.servers.log_reader import LogOptions, read_log, tail_offset

LINES = [
    "2026-01-01T00:00:01.000000000Z stdout F one",
    "2026-01-01T00:00:02.000000000Z stderr F two",
    "2026-01-01T00:00:03.000000000Z stdout P thr",
    "2026-01-01T00:00:03.000000001Z stdout F ee",
    "2026-01-01T00:00:04.000000000Z stdout F ",
]


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "0.log"
    path.write_text("".join(f"{line}\n" for line in LINES))
    return path


async def read(path, alive=lambda: False, **query):
    options = LogOptions.from_query(query)
    return b"".join([piece async for piece in read_log(path, options, alive)]).decode()


async def test_whole_log(log):
    assert await read(log) == "one\ntwo\nthree\n\n"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"tailLines": "1"}, "\n"),
        ({"tailLines": "4"}, "two\nthree\n\n"),
        ({"tailLines": "0"}, ""),
        ({"tailLines": "99"}, "one\ntwo\nthree\n\n"),
        ({"limitBytes": "5"}, "one\nt"),
        ({"sinceTime": "2026-01-01T00:00:02Z"}, "two\nthree\n\n"),
        ({"sinceTime": "2026-01-01T01:00:03+01:00"}, "three\n\n"),
        ({"sinceSeconds": "10"}, ""),
        ({"stream": "Stderr"}, "two\n"),
        (
            {"timestamps": "true", "tailLines": "4", "limitBytes": "35"},
            "2026-01-01T00:00:02.000000000Z two\n",
        ),
        (
            {"timestamps": "true", "sinceTime": "2026-01-01T00:00:03Z"},
            "2026-01-01T00:00:03.000000000Z three\n2026-01-01T00:00:04.000000000Z \n",
        ),
    ],
)
async def test_options(log, query, expected):
    assert await read(log, **query) == expected


@pytest.mark.parametrize(
    "query", [{"tailLines": "-1"}, {"limitBytes": "0"}, {"tailLines": "x"}, {"stream": "Foo"}]
)
def test_bad_options(query):
    with pytest.raises(ValueError):
        LogOptions.from_query(query)


def test_tail_over_many_blocks(tmp_path):
    path = tmp_path / "big.log"
    lines = [
        f"2026-01-01T00:00:00.000000000Z stdout F {number:06d} {'x' * 60}\n"
        for number in range(20_000)
    ]
    path.write_text("".join(lines))
    for count in (1, 2, 3000, 19_999):
        with path.open() as file:
            file.seek(tail_offset(path, count))
            assert file.readlines() == lines[-count:]
    assert tail_offset(path, 20_000) == tail_offset(path, 50_000) == 0


async def test_follow_sees_what_comes_and_ends_with_the_container(log):
    running = True
    options = LogOptions.from_query({"follow": "true", "tailLines": "0"})
    seen = []

    async def follow():
        async for piece in read_log(log, options, lambda: running):
            seen.append(piece)

    task = asyncio.create_task(follow())
    await asyncio.sleep(0.05)
    with log.open("a") as file:
        file.write("2026-01-01T00:00:05.000000000Z stdout F half")
        file.flush()
        await asyncio.sleep(0.25)
        assert seen == []
        file.write(" whole\n")
    async with asyncio.timeout(5):
        while not seen:
            await asyncio.sleep(0.02)
    assert seen == [b"half whole\n"]
    with log.open("a") as file:
        file.write("2026-01-01T00:00:06.000000000Z stdout F last\n")
    running = False
    await asyncio.wait_for(task, 5)
    assert seen[-1] == b"last\n"


async def test_follow_goes_on_in_the_next_file_after_rotation(log):
    running = True
    options = LogOptions.from_query({"follow": "true"})
    seen = bytearray()

    async def follow():
        async for piece in read_log(log, options, lambda: running):
            seen.extend(piece)

    task = asyncio.create_task(follow())
    await asyncio.sleep(0.05)
    log.rename(log.with_suffix(".1"))
    log.write_text("2026-01-01T00:00:07.000000000Z stdout F fresh\n")
    async with asyncio.timeout(5):
        while b"fresh" not in seen:
            await asyncio.sleep(0.02)
    running = False
    await asyncio.wait_for(task, 5)
    assert seen.decode() == "one\ntwo\nthree\n\nfresh\n"
