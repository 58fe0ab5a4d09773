import asyncio
import os
import sys
from pathlib import Path
from typing import Any

from embedded_kubernetes.config import ClusterConfig
from embedded_kubernetes.control import health, heartbeat
from embedded_kubernetes.control.component import ComponentProcess
from embedded_kubernetes.control.control_plane import ComponentSpec


async def test_beats_come_whole_and_a_full_pipe_drops_them() -> None:
    heard: list[dict[str, Any]] = []
    reading, writing = heartbeat.open_pipe()
    for number in range(20_000):  # far more than a pipe holds; nobody reads meanwhile
        heartbeat.beat(writing, {"tasks": number})
    pulse = heartbeat.Pulse(reading, heard.append)
    while not heard or heard[-1] != {"last": True}:
        heartbeat.beat(writing, {"last": True})
        await asyncio.sleep(0.01)
    assert [one["tasks"] for one in heard[:100]] == list(range(100))
    assert len(heard) < 20_000
    os.close(writing)
    await asyncio.sleep(0.05)
    pulse.close()


_HANGS = """
import asyncio, faulthandler, signal, sys, time
from embedded_kubernetes.node.heart import Heart
faulthandler.register(signal.SIGUSR1)
async def main():
    beating = asyncio.create_task(Heart(int(sys.argv[-1])).beat())
    await asyncio.sleep(1.5)
    print("hangs", flush=True)
    time.sleep(1000)  # what no coroutine may do
asyncio.run(main())
"""


async def test_a_loop_that_hangs_is_killed_and_brought_back_in_words(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    config = ClusterConfig("c", str(tmp_path), str(tmp_path), 0, "v1", "/nowhere", 1, 2, 3, 4, ())
    incidents: list[str] = []
    component = ComponentProcess(
        ComponentSpec("hangs", (sys.executable, "-c", _HANGS)),
        config,
        on_incident=lambda _, what: incidents.append(what),
        on_given_up=lambda _, how: incidents.append(how),
        beats=True,
    )
    component.start()
    first = component.pid
    async with asyncio.timeout(20):
        while not component.beat:
            await asyncio.sleep(0.02)
        assert component.beat["tasks"] == 2
        while "hangs" not in component.log.read_text():
            await asyncio.sleep(0.02)
        await asyncio.sleep(0.1)  # its last beats are heard
        for _ in range(18):
            component.look(0.5)
        assert component.trouble() == "ne répond plus depuis 9 s"
        while component.pid in (None, first):
            await asyncio.sleep(0.02)
    assert incidents[0].startswith("ne répond plus depuis 9 s, tué par le superviseur, relancé")
    assert component.trouble() == ""
    assert 'File "<string>", line 9 in main' in component.log.read_text()
    await component.stop(0.1)


async def test_whatever_a_server_answers_it_lives(tmp_path: Path) -> None:
    heard, gone = asyncio.Event(), asyncio.Event()
    asked = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                asked.append(await reader.readuntil(b"\r\n\r\n"))
                writer.write(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 2\r\n\r\nno")
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()
            gone.set()

    path = str(tmp_path / "socket")
    server = await asyncio.start_unix_server(serve, path)
    endpoint = health.HealthEndpoint("/livez", socket=path)
    listening = asyncio.create_task(health.listen(endpoint, None, heard.set))
    await asyncio.wait_for(heard.wait(), 10)
    listening.cancel()
    await asyncio.wait_for(gone.wait(), 10)
    server.close()
    await server.wait_closed()
    assert asked[0].startswith(b"GET /livez HTTP/1.1\r\n")
