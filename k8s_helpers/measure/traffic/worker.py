"""The process that sends the requests: `python -m k8s_helpers.measure.traffic.worker`.

It lives apart so that neither drawing nor the interpreter lock of the notebook delays a request. Its order is one
line of JSON on standard input; each result is one line of JSON on standard output. It ends when its input
closes, so that it cannot outlive who started it.
"""

from __future__ import annotations

import asyncio
import errno
import gc
import json
import ssl
import sys
import time
from typing import Any

import aiohttp

from ...kube.http import tls_context
from ..recording import ErrorKind
from .profile import Order, Profile

_LEAD_S = 0.05
"""From the greeting to the first request: lets the loop settle."""


def error_kind(error: BaseException) -> ErrorKind:
    """Name why a request failed, by what the client library raised."""
    if isinstance(error, TimeoutError):
        return "timeout"
    number = getattr(error, "errno", None) or getattr(
        getattr(error, "os_error", None), "errno", None
    )
    if number == errno.ECONNREFUSED:
        return "refused"
    if number in (errno.ECONNRESET, errno.EPIPE):
        return "reset"
    if isinstance(error, aiohttp.ServerDisconnectedError | aiohttp.ClientPayloadError):
        return "closed"
    return "other"


def _judge(status: int, body: bytes, expected: str) -> ErrorKind | None:
    """Name what is wrong with an answer; None where it is what the client came for."""
    if status >= 400:
        return "status"
    return None if expected.encode() in body else "content"


def _tls(order: Order) -> ssl.SSLContext | bool:
    if not order.url.startswith("https:"):
        return True
    context = tls_context(ca_file=order.ca_file, verify=order.verify)
    if order.cert_file:
        context.load_cert_chain(order.cert_file, order.key_file)
    return context


class _Sender:
    """Sends the requests of one order and writes down what became of each."""

    def __init__(
        self, order: Order, session: aiohttp.ClientSession, out: asyncio.WriteTransport
    ) -> None:
        self._order = order
        self._session = session
        self._out = out
        self._in_flight: set[asyncio.Task[None]] = set()

    async def follow_plan(self, began_s: float) -> None:
        """Send each request at its instant until a bound is reached."""
        order = self._order
        for number, at_s in enumerate(Profile(order.points).instants()):
            if number >= order.max_requests or at_s >= order.max_duration_s:
                break
            planned_s = began_s + at_s
            wait_s = planned_s - time.monotonic()
            if wait_s > 0:
                await asyncio.sleep(wait_s)
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
        task = asyncio.create_task(self._request(planned_s))
        self._in_flight.add(task)
        task.add_done_callback(self._in_flight.discard)

    async def _request(self, planned_s: float) -> None:
        status = version = pod = None
        error: ErrorKind | None = None
        sent_s = time.monotonic()
        try:
            async with self._session.request(
                self._order.method,
                self._order.url,
                allow_redirects=False,
                proxy=self._order.proxy,
                server_hostname=self._order.server_hostname,
            ) as answer:
                status = answer.status
                version = answer.headers.get("X-App-Version")
                pod = answer.headers.get("X-Pod-Name")
                body = await answer.read()
                error = _judge(status, body, self._order.expected)
        except (aiohttp.ClientError, OSError) as failure:  # TimeoutError is an OSError
            error = error_kind(failure)
        self._write([planned_s, sent_s, time.monotonic(), status, version, pod, error])

    def _write(self, record: list[Any]) -> None:
        self._out.write(json.dumps(record).encode() + b"\n")


class _Closing(asyncio.BaseProtocol):
    """Tells when all that was written has left."""

    def __init__(self) -> None:
        self.closed = asyncio.get_running_loop().create_future()

    def connection_lost(self, exc: Exception | None) -> None:
        """Note that the pipe is closed."""
        if not self.closed.done():
            self.closed.set_result(None)


async def serve() -> None:
    """Read the order, carry it out until done or until the input closes, say that it is over."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    # A transport keeps what a slow reader has not taken yet, so that writing never delays a request.
    out, closing = await loop.connect_write_pipe(_Closing, sys.stdout)
    order = Order.from_json(await reader.readline())
    connector = aiohttp.TCPConnector(limit=0, force_close=not order.keep_alive, ssl=_tls(order))
    async with aiohttp.ClientSession(
        connector=connector,
        timeout=aiohttp.ClientTimeout(total=order.timeout_s),
        headers=dict(order.headers),
        cookie_jar=aiohttp.DummyCookieJar(),
    ) as session:
        # A GET that is cut off would be sent again in silence (RFC 9110 allows it), and a lost request never be seen.
        # aiohttp has no public name for it; its own test client sets the same.
        session._retry_connection = False
        sender = _Sender(order, session, out)
        gc.collect()
        gc.freeze()  # what is loaded now is never collected: no long pause later
        began_s = time.monotonic() + _LEAD_S
        out.write(json.dumps({"began_s": began_s}).encode() + b"\n")
        plan = asyncio.create_task(sender.follow_plan(began_s))
        stop = asyncio.create_task(reader.read())
        await asyncio.wait({plan, stop}, return_when=asyncio.FIRST_COMPLETED)
        if not plan.cancel():
            plan.result()
        stop.cancel()
        await sender.settle()
        out.write(b'{"over": true}\n')
    out.close()
    await closing.closed


def main() -> None:
    """Run the worker."""
    asyncio.run(serve())


if __name__ == "__main__":
    main()
