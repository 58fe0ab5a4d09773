"""The traffic generator against a server of this process: plans, outcomes, bounds, and its own end."""

from __future__ import annotations

import itertools
import socket
import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from k8s_helpers._errors import ResourceError, UsageError
from k8s_helpers.cluster import ServiceAddress
from k8s_helpers.measure import traffic as load
from k8s_helpers.measure.traffic.generator.plan import Order
from k8s_helpers.measure.traffic.runners import LocalRunner

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-App-Version: v2\r\nX-Pod-Name: vitrine-1\r\n\r\nok"

Answer = Callable[[socket.socket], None]


@contextmanager
def server(answer: Answer) -> Iterator[str]:
    """Serve on a port of its own; `answer` gets each connection after its first bytes have come."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            if self.request.recv(4096):
                answer(self.request)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        request_queue_size = 128

        def shutdown_request(self, request: socket.socket | tuple[bytes, socket.socket]) -> None:
            assert isinstance(request, socket.socket)
            request.close()  # no FIN first: what the handler set with SO_LINGER decides

    with Server(("127.0.0.1", 0), Handler) as listening:
        thread = threading.Thread(target=listening.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.server_address[1]}/"
        finally:
            listening.shutdown()
            thread.join()


def good(connection: socket.socket) -> None:
    connection.sendall(OK)


def traffic_of(
    url: str, seconds: float, rate_per_s: float = 50, timeout_s: float = 1.0
) -> load.Traffic:
    with load.Traffic(
        url, rate_per_s=rate_per_s, max_duration_s=seconds, timeout_s=timeout_s
    ) as traffic:
        wait_until(lambda: len(traffic.requests) >= round(seconds * rate_per_s))
    return traffic


def wait_until(holds: Callable[[], bool], timeout_s: float = 30.0) -> None:
    """Let the generator follow its plan to the end: a busy machine may send the last requests late."""
    end_s = time.monotonic() + timeout_s
    while not holds() and time.monotonic() < end_s:
        time.sleep(0.02)


def test_a_constant_profile_is_evenly_spaced() -> None:
    instants = list(itertools.islice(load.Profile.constant(50).instants(), 101))
    assert instants[0] == 0
    assert instants[100] == pytest.approx(2.0)


def test_a_ramp_sends_the_integral_of_its_rate() -> None:
    ramp = load.Profile(((0, 0), (10, 100), (20, 100)))
    instants = list(itertools.takewhile(lambda at_s: at_s < 20, ramp.instants()))
    assert len([at_s for at_s in instants if at_s < 10]) == pytest.approx(500, abs=1)
    assert len([at_s for at_s in instants if at_s < 5]) == pytest.approx(125, abs=1)
    assert len(instants) == pytest.approx(1500, abs=1)
    assert instants == sorted(instants)


def test_a_step_changes_the_rate_at_once_and_a_last_rate_of_zero_ends_the_plan() -> None:
    step = load.Profile(((0, 10), (2, 10), (2, 100), (3, 100), (3, 0)))
    instants = list(step.instants())
    assert len([at_s for at_s in instants if at_s < 2]) == 20
    assert len(instants) == 120


@pytest.mark.parametrize(
    "points",
    [(), ((1, 10),), ((0, 10), (2, 5), (1, 5)), ((0, -1),), ((0, 0),), ((0, float("nan")),)],
)
def test_a_plan_that_makes_no_sense_is_refused(points: tuple[tuple[float, float], ...]) -> None:
    with pytest.raises(UsageError):
        load.Profile(points)


def test_traffic_needs_one_rate_and_sane_durations() -> None:
    with pytest.raises(UsageError):
        load.Traffic("http://127.0.0.1:1/")
    with pytest.raises(UsageError):
        load.Traffic("http://127.0.0.1:1/", rate_per_s=1, profile=load.Profile.constant(1))
    with pytest.raises(UsageError):
        load.Traffic("http://127.0.0.1:1/", rate_per_s=1, timeout_s=0)


def test_an_order_survives_its_journey() -> None:
    order = Order(
        "http://x/",
        ((0.0, 5.0), (1.0, 9.0)),
        2.0,
        "GET",
        False,
        10,
        3.0,
        7,
        {"A": "b"},
        ca_file="/ca",
    )
    assert Order.from_json(order.to_json()) == order


def test_each_request_is_recorded_with_who_answered() -> None:
    with server(good) as url:
        traffic = traffic_of(url, 1.0)
    requests = traffic.requests
    assert len(requests) == 50
    assert {(one.status, one.version, one.pod, one.error) for one in requests} == {
        (200, "v2", "vitrine-1", None)
    }
    assert requests[0].planned_s == pytest.approx(0, abs=1e-6)
    assert requests[49].planned_s == pytest.approx(0.98, abs=1e-6)
    assert all(one.planned_s <= one.sent_s <= one.answered_s for one in requests)


def test_a_page_without_what_it_is_to_contain_is_lost_whatever_its_status() -> None:
    with server(good) as url:
        for expected, error in (("ok", None), ("12 articles", "content")):
            with load.Traffic(url, rate_per_s=50, max_duration_s=0.1, expected=expected) as traffic:
                wait_until(lambda traffic=traffic: len(traffic.requests) >= 5)  # type: ignore[misc]
            found = {(one.status, one.pod, one.error) for one in traffic.requests}
            assert found == {(200, "vitrine-1", error)}


def test_answers_that_are_late_delay_no_request() -> None:
    def slow(connection: socket.socket) -> None:
        time.sleep(0.5)
        connection.sendall(OK)

    with server(slow) as url:
        requests = traffic_of(url, 1.0).requests
    assert len(requests) == 50
    # Were one to wait for another's answer, the last would leave 24 s late.
    assert load.effort(requests).lag_p99_s < 2
    assert min(one.answered_s - one.sent_s for one in requests) >= 0.49


def test_requests_open_their_own_connection_unless_asked_otherwise() -> None:
    connections: list[int] = []

    def stay(connection: socket.socket) -> None:
        connections.append(1)
        connection.sendall(OK)
        while connection.recv(4096):
            connection.sendall(OK)

    with server(stay) as url:
        traffic = traffic_of(url, 0.4)
        assert len(connections) == len(traffic.requests) == 20
        connections.clear()
        with load.Traffic(url, rate_per_s=50, max_duration_s=0.4, keep_alive=True) as kept:
            wait_until(lambda: len(kept.requests) >= 20)
        assert len(kept.requests) == 20
        assert len(connections) < 10


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")


def silent(connection: socket.socket) -> None:
    connection.recv(4096)


@pytest.mark.parametrize(
    ("answer", "error", "status"),
    [
        (lambda connection: None, "closed", None),
        (lambda connection: connection.sendall(OK[:-1]), "closed", 200),
        (reset, "reset", None),
        (silent, "timeout", None),
        (lambda connection: connection.sendall(OK.replace(b"200 OK", b"503 No")), "status", 503),
        (lambda connection: connection.sendall(b"rien que du bruit\r\n\r\n"), "other", None),
    ],
)
def test_every_failure_has_its_name(answer: Answer, error: str, status: int | None) -> None:
    with server(answer) as url:
        requests = traffic_of(url, 0.2, timeout_s=0.3).requests
    assert {(one.error, one.status) for one in requests} == {(error, status)}
    assert len(requests) == 10


def test_a_request_that_is_cut_off_is_not_sent_again_in_secret() -> None:
    connections = itertools.count()

    def cut_every_other(connection: socket.socket) -> None:
        if next(connections) % 2:
            connection.sendall(OK)

    with server(cut_every_other) as url:
        requests = traffic_of(url, 0.5).requests
    assert {request.error for request in requests} == {None, "closed"}
    assert next(connections) == len(requests)


def test_a_port_where_nobody_listens_is_refused() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        requests = traffic_of(f"http://127.0.0.1:{taken.getsockname()[1]}/", 0.2).requests
    assert {one.error for one in requests} == {"refused"}


def test_beyond_the_cap_requests_are_unsent_and_the_effort_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("k8s_helpers.measure.traffic.traffic._MAX_IN_FLIGHT", 3)
    with server(silent) as url:
        traffic = traffic_of(url, 0.2, timeout_s=1.0)
    assert [one.error for one in traffic.requests] == ["timeout"] * 3 + ["unsent"] * 7
    assert (traffic.effort.planned, traffic.effort.sent, traffic.effort.unsent) == (10, 3, 7)


def test_the_clock_may_be_shared() -> None:
    zero_s = time.monotonic() - 100
    with server(good) as url, load.Traffic(url, rate_per_s=50, zero_monotonic_s=zero_s) as traffic:
        wait_until(lambda: bool(traffic.requests))
        live = traffic.requests
        assert live, "records are there while the traffic goes on"
    assert 100 < live[0].planned_s < 160
    assert len(traffic.requests) >= len(live)


def test_a_block_that_fails_leaves_no_process() -> None:
    with server(good) as url, pytest.raises(ZeroDivisionError):  # noqa: SIM117
        with load.Traffic(url, rate_per_s=50) as traffic:
            runner = traffic._runner
            assert isinstance(runner, LocalRunner)
            raise ZeroDivisionError
    assert runner.process.returncode is not None


def test_a_generator_that_dies_is_an_error_with_what_to_do() -> None:
    with server(good) as url:
        traffic = load.Traffic(url, rate_per_s=50)
        traffic.start()
        runner = traffic._runner
        assert isinstance(runner, LocalRunner)
        runner.process.kill()
        with pytest.raises(ResourceError, match="processus à part"):
            traffic.stop()


def test_the_effort_of_nothing_is_nothing() -> None:
    assert load.effort([]) == load.Effort(0, 0, 0, 0.0, 0.0)


def test_requests_take_the_addresses_proxy() -> None:
    seen: list[bytes] = []

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            seen.append(self.request.recv(4096))
            self.request.sendall(OK)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as proxy:
        thread = threading.Thread(target=proxy.serve_forever, args=(0.02,))
        thread.start()
        try:
            address = ServiceAddress(
                "http://10.1.2.3:8001/x",
                "api-proxy",
                {"Authorization": "Bearer t"},
                proxy=f"http://127.0.0.1:{proxy.server_address[1]}",
            )
            with load.Traffic(address, rate_per_s=10, max_duration_s=0.2) as traffic:
                while not traffic.requests:  # the test's own time-out ends it
                    time.sleep(0.01)
        finally:
            proxy.shutdown()
            thread.join()
    assert {request.status for request in traffic.requests} == {200}
    assert all(one.startswith(b"GET http://10.1.2.3:8001/x HTTP/1.1") for one in seen)
    assert all(b"Bearer t" in one for one in seen)
