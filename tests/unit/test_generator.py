"""The generator against aiohttp, on a server with odd answers; its bundle; and the clocks of two machines."""

from __future__ import annotations

import ast
import asyncio
import json
import re
import socket
import socketserver
import ssl
import struct
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any, get_args
from unittest.mock import MagicMock

import aiohttp
import pytest
from certificates import Authority

from k8s_helpers.cluster.traffic_pods import TrafficPod
from k8s_helpers.kube.http import tls_context
from k8s_helpers.measure import recording
from k8s_helpers.measure.traffic import effort, runners, shortfall
from k8s_helpers.measure.traffic.clocks import Clocks, Exchange, Offset
from k8s_helpers.measure.traffic.generator import sender
from k8s_helpers.measure.traffic.generator.connections import Connections
from k8s_helpers.measure.traffic.generator.plan import Order
from k8s_helpers.measure.traffic.generator.responses import MalformedError, Response
from k8s_helpers.measure.traffic.generator.sender import Sender

OLDEST = (3, 9)
TIMEOUT_S = 0.3
Outcome = tuple[int | None, str | None, str | None, str | None]
"""Status, version, pod, error."""


@contextmanager
def listening(handle: Callable[[socket.socket], None]) -> Iterator[int]:
    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            handle(self.request)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

        def shutdown_request(self, request: socket.socket | tuple[bytes, socket.socket]) -> None:
            assert isinstance(request, socket.socket)
            request.close()

        def handle_error(self, request: Any, client_address: Any) -> None:
            """A client that leaves early is what some tests are about."""

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


def order_of(url: str, **changes: Any) -> Order:
    plain: dict[str, Any] = {
        "url": url,
        "points": ((0.0, 1000.0),),
        "timeout_s": TIMEOUT_S,
        "method": "GET",
        "keep_alive": False,
        "max_requests": 1,
        "max_duration_s": 10.0,
        "max_in_flight": 10,
    }
    return Order(**(plain | changes))


async def ours(order: Order, tls: ssl.SSLContext | None = None) -> list[Outcome]:
    records: list[Any] = []
    connections = Connections(order, tls)
    requests = Sender(order, connections, records.append)
    await requests.follow_plan(time.monotonic())
    await requests.settle()
    connections.close()
    return [tuple(record[3:]) for record in records]


async def theirs(order: Order) -> Outcome:
    """What aiohttp makes of the same, judged as the generator judges."""
    status = version = pod = error = None
    async with aiohttp.ClientSession(
        timeout=aiohttp.ClientTimeout(total=order.timeout_s),
        connector=aiohttp.TCPConnector(force_close=True),
    ) as session:
        session._retry_connection = False
        try:
            async with session.request(order.method, order.url, allow_redirects=False) as answer:
                status = answer.status
                version = answer.headers.get("X-App-Version")
                pod = answer.headers.get("X-Pod-Name")
                body = await answer.read()
                error = sender.judge(status, body, order.expected.encode())
        except (aiohttp.ServerDisconnectedError, aiohttp.ClientPayloadError):
            error = "closed"
        except (aiohttp.ClientError, OSError) as failure:
            number = getattr(getattr(failure, "os_error", failure), "errno", None)
            timed_out = isinstance(failure, TimeoutError)
            error = sender.error_kind(failure if timed_out else OSError(number, ""))
    return status, version, pod, error


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-App-Version: v2\r\nX-Pod-Name: p-1\r\n\r\nok"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
RESET = b"<reset>"
SILENCE = b"<silence>"
PAUSE = b"<pause>"

ODD: dict[str, tuple[bytes, ...]] = {
    "good": (OK,),
    "byte-by-byte": tuple(OK[at : at + 1] for at in range(len(OK))),
    "slow-head": (OK[:20], PAUSE, OK[20:]),
    "too-slow-head": (OK[:20], SILENCE),
    "too-slow-body": (OK[:-1], SILENCE),
    "nothing": (),
    "reset-at-once": (RESET,),
    "reset-in-the-body": (OK[:-1], PAUSE, RESET),
    "reset-in-the-head": (OK[:25], PAUSE, RESET),
    "silence": (SILENCE,),
    "cut-head": (OK[:25],),
    "cut-body": (OK[:-1],),
    "noise": (b"rien que du bruit\r\n\r\n",),
    "noise-without-end": (b"rien que du bruit",),
    "another-protocol": (b"SSH-2.0-OpenSSH_9.2\r\n",),
    "http-2-frames": (b"\x00\x00\x06\x04\x00\x00\x00\x00\x00\x00\x05\x00\x00\x40\x00",),
    "status-503": (OK.replace(b"200 OK", b"503 Service Unavailable"),),
    "status-404-without-words": (OK.replace(b"200 OK", b"404 "),),
    "redirect": (b"HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n",),
    "no-content": (b"HTTP/1.1 204 No Content\r\n\r\n",),
    "not-modified": (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 10\r\n\r\n",),
    "until-closed": (b"HTTP/1.1 200 OK\r\n\r\nok",),
    "http-1.0": (b"HTTP/1.0 200 OK\r\n\r\nok",),
    "continue-first": (b"HTTP/1.1 100 Continue\r\n\r\n", PAUSE, OK),
    "hints-first": (b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + OK,),
    "chunks": (CHUNKED, b"1\r\no\r\n", PAUSE, b"1;ext=1\r\nk\r\n0\r\n\r\n"),
    "chunks-with-trailer": (CHUNKED + b"2\r\nok\r\n0\r\nX-Sum: 1\r\n\r\n",),
    "chunks-cut": (CHUNKED + b"2\r\nok\r\n",),
    "chunks-cut-inside": (CHUNKED + b"5\r\nok",),
    "chunks-of-no-size": (CHUNKED + b"zz\r\nok\r\n0\r\n\r\n",),
    "chunks-too-long": (CHUNKED + b"1\r\nok\r\n0\r\n\r\n",),
    "length-of-no-number": (OK.replace(b": 2", b": deux"),),
    "two-lengths": (OK.replace(b"Content-Length: 2", b"Content-Length: 2\r\nContent-Length: 3"),),
    "length-and-chunks": (
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ),
    "header-without-colon": (OK.replace(b"X-App-Version: v2", b"X-App-Version"),),
    "names-in-capitals": (OK.replace(b"X-Pod-Name", b"X-POD-NAME"),),
    "more-than-the-body": (OK + b"HTTP/1.1 200 OK\r\n",),
}

WITH_STATUS = ("chunks-of-no-size", "chunks-too-long")
"""A body that makes no sense after a head that does: ours keeps the status, aiohttp where the head came alone."""

RESET_LATE = "reset-in-the-body"
"""A reset is called so whenever it comes; aiohttp says only that the body is not whole."""


def odd(parts: tuple[bytes, ...]) -> Callable[[socket.socket], None]:
    def handle(connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.recv(4096)
        for part in parts:
            if part == PAUSE:
                time.sleep(TIMEOUT_S / 10)
            elif part == SILENCE:
                connection.recv(4096)
            elif part == RESET:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            else:
                connection.sendall(part)

    return handle


@pytest.mark.parametrize("name", ODD)
async def test_odd_answers_are_found_as_aiohttp_finds_them(name: str) -> None:
    with listening(odd(ODD[name])) as port:
        order = order_of(f"http://127.0.0.1:{port}/page?x=é")
        (found,) = await ours(order)
        wanted = await theirs(order)
    if name in WITH_STATUS:
        assert (found[0], found[3]) == (200, wanted[3])
    elif name == RESET_LATE:
        assert (found[3], wanted[3]) == ("reset", "closed")
    else:
        assert found == wanted


@pytest.mark.parametrize("method", ["HEAD", "POST", "DELETE"])
async def test_methods_are_asked_and_answered_as_aiohttp_does(method: str) -> None:
    asked: list[bytes] = []

    def handle(connection: socket.socket) -> None:
        asked.append(connection.recv(4096))
        connection.sendall(OK[:-2] if method == "HEAD" else OK)

    with listening(handle) as port:
        order = order_of(f"http://127.0.0.1:{port}", method=method)
        (found,) = await ours(order)
        assert found == await theirs(order) == (200, "v2", "p-1", None)
    mine, other = (set(re.split(rb"\r\n", request.lower())) for request in asked)
    assert all(request.startswith(f"{method} / HTTP/1.1\r\nHost: ".encode()) for request in asked)
    named = (b"host:", b"connection:", b"content-length:", b"accept:")
    assert {line for line in mine if line.startswith(named)} == {
        line for line in other if line.startswith(named)
    }


async def test_kept_connections_carry_what_follows_and_a_broken_one_is_not_used_again() -> None:
    seen: list[int] = []

    def handle(connection: socket.socket) -> None:
        number = len(seen)
        while connection.recv(4096):
            seen.append(number)
            connection.sendall(OK)
            if len(seen) == 4:
                return  # closed while it is idle

    with listening(handle) as port:
        order = order_of(f"http://127.0.0.1:{port}/", keep_alive=True, timeout_s=5.0)
        records: list[Any] = []
        connections = Connections(order, None)
        one_by_one = Sender(order, connections, records.append)
        for _ in range(8):
            await one_by_one.follow_plan(time.monotonic())
            await one_by_one.settle()
        connections.close()
    # The fifth may leave as the server closes: it is lost, and said.
    assert [record[-1] for record in records].count(None) >= 7
    assert seen[:4] == [0] * 4 and set(seen[4:]) == {4}


async def test_https_is_checked_by_name_and_with_a_certificate_of_ours(tmp_path: Path) -> None:
    authority = Authority(tmp_path, "essai")
    pem, key = authority.signed("cluster.test")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, key)

    def handle(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as secured:
            secured.recv(4096)
            secured.sendall(OK)

    with listening(handle) as port:
        url = f"https://127.0.0.1:{port}/"
        tls = tls_context(ca_file=authority.file)
        (good,) = await ours(order_of(url, server_hostname="cluster.test", timeout_s=5.0), tls)
        (wrong,) = await ours(order_of(url, server_hostname="autre.test", timeout_s=5.0), tls)
        with listening(tunnel_to(port)) as proxy_port:
            proxied = order_of(
                "https://10.1.2.3:6443/",
                server_hostname="cluster.test",
                proxy=f"http://127.0.0.1:{proxy_port}",
                proxy_authorization="Basic eDp5",
                timeout_s=5.0,
            )
            (through,) = await ours(proxied, tls)
    assert good == through == (200, "v2", "p-1", None)
    assert wrong == (None, None, None, "other")


def tunnel_to(port: int) -> Callable[[socket.socket], None]:
    def handle(client: socket.socket) -> None:
        asked = client.recv(4096)
        assert asked.startswith(b"CONNECT 10.1.2.3:6443 HTTP/1.1\r\n")
        assert b"Proxy-Authorization: Basic eDp5" in asked
        with socket.create_connection(("127.0.0.1", port)) as server:
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            back = threading.Thread(target=copy_bytes, args=(server, client))
            back.start()
            copy_bytes(client, server)
            back.join()

    return handle


def copy_bytes(source: socket.socket, sink: socket.socket) -> None:
    try:
        while data := source.recv(4096):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass


async def test_a_proxy_that_refuses_is_told() -> None:
    def handle(client: socket.socket) -> None:
        client.recv(4096)
        client.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")

    with listening(handle) as port:
        order = order_of("https://10.1.2.3/", proxy=f"http://127.0.0.1:{port}")
        assert await ours(order, tls_context()) == [(None, None, None, "other")]


async def test_a_name_that_nobody_knows_is_told_of_each_request() -> None:
    order = order_of("http://nulle-part.invalid/", max_requests=2, timeout_s=20.0)
    assert await ours(order) == [(None, None, None, "other")] * 2


def test_a_body_is_looked_at_across_its_pieces() -> None:
    response = Response("GET", keep=True)
    for part in (CHUNKED, b"6\r\n12 art\r\n", b"5\r\nicles\r\n", b"0\r\n\r\n"):
        response.feed(part)
    assert response.complete and response.reusable
    assert sender.judge(200, response.body, b"12 articles") is None
    assert sender.judge(200, response.body, b"13 articles") == "content"


def test_a_head_without_end_is_given_up() -> None:
    response = Response("GET")
    with pytest.raises(MalformedError):
        for _ in range(200):
            response.feed(b"HTTP/1.1 200 OK\r\n" if not response._buffer else b"A: " + b"b" * 999)


# --- as a program of any image


def test_the_bundle_needs_nothing_but_an_old_python() -> None:
    names = set(sys.stdlib_module_names)
    with zipfile.ZipFile(BytesIO(runners.bundle())) as archive:
        for name in archive.namelist():
            tree = ast.parse(archive.read(name), name, feature_version=OLDEST)
            for node in ast.walk(tree):
                if isinstance(node, ast.ImportFrom) and not node.level:
                    roots = {(node.module or "").partition(".")[0]}
                elif isinstance(node, ast.Import):
                    roots = {alias.name.partition(".")[0] for alias in node.names}
                else:
                    continue
                assert roots <= names | {"generator"}, name
    assert len(runners.bundle()) < 2**16


def test_the_bundle_runs_alone_answers_pings_and_stops_when_told() -> None:
    program = runners.bundle()
    argv = [sys.executable, "-I", "-S", "-c", runners._BOOT, str(len(program))]
    with listening(odd((OK,))) as port:
        order = order_of(f"http://127.0.0.1:{port}/", max_requests=10**6)
        with subprocess.Popen(
            argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd="/"
        ) as process:
            assert process.stdin is not None and process.stdout is not None
            process.stdin.write(program + b'{"ping": 7}\n' + order.to_json().encode() + b"\n")
            process.stdin.flush()
            before_s = time.monotonic()
            pong, began, *_ = (json.loads(process.stdout.readline()) for _ in range(3))
            process.stdin.write(b'{"stop": true}\n{"ping": 8}\n')
            process.stdin.flush()
            rest = []
            while not rest or not isinstance(rest[-1], dict) or "over" not in rest[-1]:
                rest.append(json.loads(process.stdout.readline()))
            process.stdin.close()
            assert process.wait(10) == 0
    assert pong["pong"] == 7 and abs(pong["at_s"] - before_s) < 30
    assert "began_s" in began
    assert {"pong": 8, "at_s": pytest.approx(time.monotonic(), abs=30)} in rest
    assert rest[-1]["cpu_s"] > 0


def test_every_error_of_the_generator_has_a_name_in_recordings() -> None:
    kinds = {
        sender.error_kind(error)
        for error in (
            TimeoutError(),
            ConnectionRefusedError(),
            ConnectionResetError(),
            BrokenPipeError(),
            OSError(113, "No route to host"),
            sender.ClosedError(),
            MalformedError(),
        )
    }
    assert kinds == {"timeout", "refused", "reset", "closed", "other"}
    assert kinds | {"status", "content", "unsent"} == set(get_args(recording.ErrorKind))


# --- two clocks


def test_the_shortest_exchange_says_the_offset_and_how_sure_it_is() -> None:
    exchanges = [Exchange(10.0, 1010.4, 10.2), Exchange(11.0, 1011.02, 11.01)]
    offset = Offset.best(exchanges)
    assert offset.ahead_s == pytest.approx(1000.015)
    assert offset.uncertainty_s == pytest.approx(0.005)


def test_a_clock_that_gains_is_set_right_in_between() -> None:
    clocks = Clocks(Offset(100.0, 50.0, 0.001), Offset(200.0, 50.1, 0.002))
    assert clocks.drift == pytest.approx(0.001)
    assert clocks.uncertainty_s == 0.002
    for ours_s in (100.0, 150.0, 200.0):
        their_s = ours_s + 50.0 + 0.001 * (ours_s - 100.0)
        assert clocks.ours(their_s) == pytest.approx(ours_s, abs=1e-4)


def test_one_measure_of_a_clock_means_no_drift() -> None:
    once = Offset(100.0, 50.0, 0.001)
    assert Clocks(once, once).ours(151.0) == 101.0


# --- a load that could not be sent, and where it left from


def requests_late_by(late_s: float) -> list[recording.Request]:
    return [recording.Request(at, at + late_s, at + late_s + 0.01) for at in (0.0, 1.0, 2.0)]


def test_a_load_that_could_not_be_sent_is_said_with_what_held_it_back() -> None:
    kept, late = effort(requests_late_by(0.01)), effort(requests_late_by(2.0))
    assert shortfall(kept, {"sent_from": "here"}, 10.0) == ""
    assert "cette machine" in shortfall(late, {"sent_from": "here"}, 10.0)
    held = {"sent_from": "pod", "cpu_limit": 0.5, "throttled_s": 4.0}
    assert "limité à 0,5 processeur" in shortfall(late, held, 10.0)
    assert "limité" not in shortfall(late, held | {"throttled_s": 0.1}, 10.0)


def test_the_pod_takes_the_user_that_a_cluster_gives_where_it_gives_one() -> None:
    provider = MagicMock()
    provider.image_names.full.return_value = "registre/vitrine:v1"
    pod = TrafficPod(MagicMock(), provider)
    chosen = pod._pod({})["spec"]["securityContext"]
    given = pod._pod({"openshift.io/sa.scc.uid-range": "1000650000/10000"})["spec"]
    assert chosen["runAsUser"] > 0 and chosen["runAsNonRoot"]
    assert "runAsUser" not in given["securityContext"]
    assert given["containers"][0]["image"] == "registre/vitrine:v1"


def test_an_order_keeps_all_its_parts() -> None:
    order = order_of("http://x/", headers={"A": "b"}, proxy_authorization="Basic eDp5")
    assert Order.from_json(order.to_json()) == order
    assert asyncio.run(ours(order_of("http://127.0.0.1:9/", max_requests=0))) == []
