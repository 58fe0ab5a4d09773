"""Sends each request at its instant, and says line by line what became of each.

On standard input come lines of JSON: `{"ping": n}`, answered at once by `{"pong": n, "at_s": …}`; one order, which
begins the traffic; `{"stop": true}`, which ends it. On standard output go `{"began_s": …}`, one list a request, and
`{"over": true, …}` once nothing more will come. The program ends when its input closes, so that it cannot outlive who
started it. All instants are of this machine's `time.monotonic`.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import gc
import json
import os
import ssl
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .connections import ClosedError, Connections, RefusedByProxyError
from .plan import Order, instants
from .responses import MalformedError, Response

LEAD_S = 0.05
"""From the greeting to the first request: lets the loop settle."""

_FLUSH_S = 0.02
"""Records are kept so long before they leave together: each would cost a write of its own."""

_CGROUP = Path("/sys/fs/cgroup")
_OLDER = (("cpu/cpu.stat", "throttled_time", 1e9),)
"""Where the older hierarchy (v1) says the same."""

MakeTls = Callable[[Order], ssl.SSLContext]


def error_kind(error: BaseException) -> str:
    """Name why a request failed, as recordings do."""
    if isinstance(error, TimeoutError):
        return "timeout"
    if isinstance(error, ConnectionRefusedError):
        return "refused"
    if isinstance(error, (ConnectionResetError, BrokenPipeError)):
        return "reset"
    if getattr(error, "errno", None) == errno.ETIMEDOUT:
        return "timeout"
    return "closed" if isinstance(error, ClosedError) else "other"


def judge(status: int, body: bytes | bytearray, expected: bytes) -> str | None:
    """Name what is wrong with an answer; None where it is what the client came for."""
    if status >= 400:
        return "status"
    return None if expected in body else "content"


class Sender:
    """Sends the requests of one order.

    Parameters
    ----------
    order : Order
        What to send.
    connections : Connections
        What they leave by.
    write : callable
        Gets each record.
    """

    def __init__(
        self, order: Order, connections: Connections, write: Callable[[Any], None]
    ) -> None:
        self._order = order
        self._connections = connections
        self._write = write
        self._expected = order.expected.encode()
        self._in_flight: set[asyncio.Task[None]] = set()

    async def follow_plan(self, began_s: float) -> None:
        """Send each request at its instant until a bound is reached."""
        order = self._order
        for number, at_s in enumerate(instants(order.points)):
            if number >= order.max_requests or at_s >= order.max_duration_s:
                break
            planned_s = began_s + at_s
            wait_s = planned_s - time.monotonic()
            if wait_s > 0:
                await asyncio.sleep(wait_s)
            elif number % 64 == 0:
                await asyncio.sleep(0)  # late: answers must still be read
            self._launch(planned_s)

    async def settle(self) -> None:
        """Wait for the answers still to come; the time-out of each request bounds it."""
        if self._in_flight:
            await asyncio.wait(self._in_flight)

    def _launch(self, planned_s: float) -> None:
        if len(self._in_flight) >= self._order.max_in_flight:
            now_s = time.monotonic()
            self._write([planned_s, now_s, now_s, None, None, None, "unsent"])
            return
        task = asyncio.get_running_loop().create_task(self._request(planned_s))
        self._in_flight.add(task)
        task.add_done_callback(self._in_flight.discard)

    async def _request(self, planned_s: float) -> None:
        order = self._order
        answer = Response(order.method, bool(self._expected))
        sent_s = time.monotonic()
        task = asyncio.current_task()
        assert task is not None
        limit = asyncio.get_running_loop().call_later(order.timeout_s, task.cancel)
        try:
            error = await self._exchange(answer)
        except asyncio.CancelledError:
            error = "timeout"
        except (OSError, ClosedError, MalformedError, RefusedByProxyError) as failure:
            error = error_kind(failure)
        finally:
            limit.cancel()
        given = answer.headers
        who = [
            given[name].decode("utf-8", "replace") if name in given else None
            for name in (b"x-app-version", b"x-pod-name")
        ]
        self._write([planned_s, sent_s, time.monotonic(), answer.status or None, *who, error])

    async def _exchange(self, answer: Response) -> str | None:
        """Send one request and name what was wrong with its answer."""
        connection = await self._connections.take()
        try:
            await connection.ask(self._connections.request, answer)
        except BaseException:
            connection.close()
            raise
        self._connections.give_back(connection, answer.reusable)
        return judge(answer.status, answer.body, self._expected)


class _Output(asyncio.BaseProtocol):
    """Standard output: keeps what a slow reader has not taken yet, so that writing never delays a request."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._lines: list[str] = []
        self._timer: asyncio.TimerHandle | None = None
        self.transport: Any = None
        self.closed = self._loop.create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Note the way out."""
        self.transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        """Note that the pipe is closed."""
        if not self.closed.done():
            self.closed.set_result(None)

    def write(self, message: Any) -> None:
        """Write a line, soon."""
        self._lines.append(json.dumps(message))
        if self._timer is None:
            self._timer = self._loop.call_later(_FLUSH_S, self.flush)

    def flush(self) -> None:
        """Write what is due now."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        lines, self._lines = self._lines, []
        if lines:
            self.transport.write("\n".join([*lines, ""]).encode())

    def say(self, message: Any) -> None:
        """Write a line now."""
        self.write(message)
        self.flush()


class _Work:
    """One order on its way: its plan, then its end."""

    def __init__(self, order: Order, tls: ssl.SSLContext | None, out: _Output) -> None:
        self._out = out
        self._stopped = asyncio.Event()
        self._connections = Connections(order, tls)
        self._sender = Sender(order, self._connections, out.write)
        self.task = asyncio.get_running_loop().create_task(self._run())

    def stop(self) -> None:
        """Have no more requests sent."""
        self._stopped.set()

    async def _run(self) -> None:
        with contextlib.suppress(OSError):  # each request will say it
            await self._connections.resolve()
        gc.collect()
        gc.freeze()  # what is loaded now is never collected: no long pause later
        before = _throttled_s()
        began_s = time.monotonic() + LEAD_S
        self._out.say({"began_s": began_s})
        loop = asyncio.get_running_loop()
        plan = loop.create_task(self._sender.follow_plan(began_s))
        stop = loop.create_task(self._stopped.wait())
        await asyncio.wait({plan, stop}, return_when=asyncio.FIRST_COMPLETED)
        if not plan.cancel():
            plan.result()
        stop.cancel()
        await self._sender.settle()
        self._connections.close()
        usage = os.times()
        facts = {
            "cpu_s": usage.user + usage.system,
            "throttled_s": _throttled_s() - before,
            "cpu_limit": _cpu_limit(),
        }
        self._out.say({"over": True, **facts})


async def serve(make_tls: MakeTls | None = None) -> None:
    """Carry out what standard input asks for, until it closes.

    Parameters
    ----------
    make_tls : callable, optional
        Says how an `https` server is checked; without it none can be asked.
    """
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    transport, out = await loop.connect_write_pipe(_Output, sys.stdout)
    work: _Work | None = None
    while line := await reader.readline():
        message = json.loads(line)
        if "ping" in message:
            out.say({"pong": message["ping"], "at_s": time.monotonic()})
        elif "stop" in message:
            if work is not None:
                work.stop()
        elif work is None:
            order = Order.from_json(line)
            secure = order.url.startswith("https:")
            work = _Work(order, make_tls(order) if secure and make_tls else None, out)
            work.task.add_done_callback(_end_with_error)
    out.flush()
    transport.close()
    await out.closed


def _end_with_error(task: asyncio.Task[None]) -> None:
    """End the program where its work has failed: who started it sees no end of the traffic."""
    if not task.cancelled() and (error := task.exception()) is not None:
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        sys.stderr.flush()
        os._exit(1)


def _throttled_s() -> float:
    """Return for how long this container was kept from running by its processor limit; 0 where nobody counts."""
    for file, name, per_s in (("cpu.stat", "throttled_usec", 1e6), *_OLDER):
        with contextlib.suppress(OSError, ValueError):
            fields = dict(line.split() for line in (_CGROUP / file).read_text().splitlines())
            return int(fields.get(name, 0)) / per_s
    return 0.0


def _cpu_limit() -> float | None:
    """Return how many processors this container may use; None without a limit."""
    for files in (("cpu.max",), ("cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us")):
        with contextlib.suppress(OSError, ValueError):
            quota, period = " ".join((_CGROUP / file).read_text() for file in files).split()
            return None if quota in ("max", "-1") else int(quota) / int(period)
    return None


def main(make_tls: MakeTls | None = None) -> None:
    """Run the program."""
    asyncio.run(serve(make_tls))
