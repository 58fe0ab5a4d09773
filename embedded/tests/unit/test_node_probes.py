import asyncio
import contextlib
import time

import pytest
from virtual_time import START_MONOTONIC_S, virtual_time

from embedded_kubernetes.node.network.sockets import HostSockets
from embedded_kubernetes.node.probes.checks import (
    CheckResult,
    Checks,
    ProbeTarget,
    request,
    resolve_port,
)
from embedded_kubernetes.node.probes.prober import ContainerProbes, Threshold
from embedded_kubernetes.node.records import Record

PORTS = {"ports": [{"name": "http", "containerPort": 8080}]}


def shown(address):
    return address.replace("127.244.", "10.244.")


def target(spec=PORTS, address="127.244.0.5"):
    return ProbeTarget(None, spec, address, shown)


# Thresholds


def says(probe, *answers):
    threshold = Threshold(probe)
    return [threshold.add(answer) for answer in answers]


def test_a_probe_fails_after_as_many_failures_in_a_row_as_its_threshold():
    assert says({}, False, False, False, False) == [None, None, False, False]
    assert says({"failureThreshold": 2}, False, True, False, False) == [None, True, None, False]


def test_a_probe_passes_after_as_many_successes_in_a_row_as_its_threshold():
    assert says({"successThreshold": 2}, True, True, False, True) == [None, True, None, None]


# One life of a container


class Scripted:
    """Answers checks from a script by kind of probe, its last answer for ever; notes when it was asked."""

    def __init__(self, **answers):
        self.answers = {kind: list(row) for kind, row in answers.items()}
        self.asked = []

    async def check(self, probe, target):
        kind = probe["kind"]
        self.asked.append((kind, time.monotonic()))
        row = self.answers[kind]
        answer = row.pop(0) if len(row) > 1 else row[0]
        return answer if isinstance(answer, CheckResult) else CheckResult(answer, "words")

    @property
    def asked_after_s(self):
        return [round(at_s - START_MONOTONIC_S, 6) for _, at_s in self.asked]


class Life:
    def __init__(self, checks, ticking_since_s=None, **probes):
        spec = {f"{kind}Probe": {"kind": kind, **probe} for kind, probe in probes.items()}
        self.record = Record({"name": "main", **spec}, "main")
        self.record.started_wall_s = time.time()
        self.changed = asyncio.Event()
        self.events = []
        self.probes = ContainerProbes(
            self.record,
            target(),
            checks,
            self.changed.set,
            lambda *event: self.events.append(event),
            ticking_since_s,
        )

    async def until(self, test):
        async with asyncio.timeout(10):
            while not test(self.record):
                self.changed.clear()
                await self.changed.wait()


FAST = {"periodSeconds": 0.02}


@virtual_time
async def test_without_probes_a_container_is_started_and_ready():
    life = Life(Scripted())
    life.probes.start()
    assert life.record.started
    assert life.record.ready


@virtual_time
async def test_readiness_is_asked_at_once_and_follows_the_answers():
    checks = Scripted(readiness=[True, False, True])
    life = Life(checks, readiness={**FAST, "failureThreshold": 1})
    life.probes.start()
    assert not life.record.ready
    for wanted in (True, False, True):
        await life.until(lambda record, wanted=wanted: record.ready == wanted)
    life.probes.stop()
    assert life.record.failed_probe is None
    assert life.events == [("Unhealthy", "Readiness probe failed: words")]


@virtual_time
async def test_the_others_wait_for_startup():
    checks = Scripted(startup=[False, False, True], readiness=[True], liveness=[True])
    life = Life(checks, startup={**FAST, "failureThreshold": 9}, readiness=FAST, liveness=FAST)
    life.probes.start()
    assert not life.record.started
    await life.until(lambda record: record.ready)
    life.probes.stop()
    assert [kind for kind, _ in checks.asked[:3]] == ["startup"] * 3
    assert "startup" not in {kind for kind, _ in checks.asked[3:]}


@pytest.mark.parametrize("kind", ["startup", "liveness"])
@virtual_time
async def test_a_probe_that_kills_says_so_once_and_stops(kind):
    checks = Scripted(**{kind: [False]})
    life = Life(checks, **{kind: {**FAST, "failureThreshold": 2}})
    life.probes.start()
    await life.until(lambda record: record.failed_probe == kind)
    asked = len(checks.asked)
    await asyncio.sleep(0.1)
    assert len(checks.asked) == asked == 2


@virtual_time
async def test_a_check_that_could_not_be_made_counts_neither_way():
    checks = Scripted(liveness=[CheckResult(None, "no such program"), True])
    life = Life(checks, liveness={**FAST, "failureThreshold": 1})
    life.probes.start()
    while len(checks.asked) < 3:
        await asyncio.sleep(0.01)
    life.probes.stop()
    assert life.record.failed_probe is None
    words = "Liveness probe errored and resulted in unknown state: no such program"
    assert life.events == [("Unhealthy", words)]


@virtual_time
async def test_the_initial_delay_counts_from_the_second_in_which_the_container_started():
    checks = Scripted(readiness=[True])
    life = Life(checks, readiness={**FAST, "initialDelaySeconds": 1})
    life.probes.start()
    await life.until(lambda record: record.ready)
    life.probes.stop()
    # It started a quarter of a second after a whole second, and ticks every 20 ms.
    assert checks.asked_after_s == [0.76]


@virtual_time
async def test_checks_are_made_at_ticks_that_count_from_the_coming_of_the_pod():
    checks = Scripted(liveness=[True])
    came_s = time.monotonic() - 13
    life = Life(checks, ticking_since_s=came_s, liveness={"periodSeconds": 5})
    life.probes.start()
    await asyncio.sleep(15)
    life.probes.stop()
    assert checks.asked_after_s == [2, 7, 12]


@virtual_time
async def test_readiness_is_asked_at_the_start_then_a_period_later_whatever_its_initial_delay():
    checks = Scripted(readiness=[True])
    life = Life(checks, readiness={"periodSeconds": 8, "initialDelaySeconds": 3})
    life.probes.start()
    await life.until(lambda record: record.ready)
    life.probes.stop()
    assert checks.asked_after_s == [8]


@virtual_time
async def test_readiness_that_is_missing_is_asked_again_when_the_pod_is_looked_at():
    checks = Scripted(readiness=[False, False, True])
    life = Life(checks, readiness={"periodSeconds": 1000})
    life.probes.start()
    async with asyncio.timeout(1):
        await life.changed.wait()  # it is news that it is not ready yet
    for _ in range(2):
        await asyncio.sleep(5)
        life.probes.ask_readiness()
    await life.until(lambda record: record.ready)
    life.probes.stop()
    assert checks.asked_after_s == [0, 5, 10]


@pytest.mark.parametrize(
    ("kind", "ready", "told"),
    [("readiness", True, True), ("readiness", False, False), ("liveness", True, True)],
)
@virtual_time
async def test_a_probe_whose_word_was_good_tells_at_its_next_tick_that_the_container_has_ended(
    kind, ready, told
):
    life = Life(Scripted(**{kind: [ready]}), **{kind: {"periodSeconds": 0.5}})
    life.probes.start()
    await asyncio.sleep(0.1)
    life.changed.clear()
    life.probes.container_ended()
    assert not life.changed.is_set()
    await asyncio.sleep(0.39)
    assert not life.changed.is_set()
    await asyncio.sleep(0.02)
    assert life.changed.is_set() == told
    life.probes.stop()


@virtual_time
async def test_the_next_life_silences_the_probes_of_the_last_one():
    life = Life(Scripted(liveness=[True]), liveness={"periodSeconds": 0.3})
    life.probes.start()
    life.changed.clear()
    life.probes.container_ended()
    life.probes.stop()
    await asyncio.sleep(0.5)
    assert not life.changed.is_set()


# Checks


def test_the_request_of_a_probe():
    action = {
        "port": "http",
        "path": "healthz",
        "httpHeaders": [
            {"name": "X-Who", "value": "me"},
            {"name": "Accept", "value": "text/plain"},
        ],
    }
    url, headers = request(action, target(), 8080, "kube-probe/1.37")
    assert url == "http://127.244.0.5:8080/healthz"
    assert headers == {
        "X-Who": "me",
        "Accept": "text/plain",
        "User-Agent": "kube-probe/1.37",
        "Host": "10.244.0.5:8080",
    }
    url, _ = request({"host": "127.0.0.1", "scheme": "HTTPS"}, target(), 1, "x")
    assert url == "https://127.0.0.1:1/"


def test_ports_by_number_and_by_name():
    assert resolve_port(80, PORTS) == 80
    assert resolve_port("81", PORTS) == 81
    assert resolve_port("http", PORTS) == 8080
    for wrong in (0, 70000):
        with pytest.raises(ValueError, match=f"invalid port number: {wrong}"):
            resolve_port(wrong, PORTS)
    with pytest.raises(ValueError, match='port "https" not found'):
        resolve_port("https", PORTS)


class Server:
    """Answers connections with fixed bytes, the last ones for ever, or as a coroutine of a test's own does."""

    def __init__(self, *answers, serve=None):
        self.answers = answers
        self.serve = serve or self._serve
        self.heads = []
        self.handlers = set()

    async def __aenter__(self):
        self.server = await asyncio.start_server(self._answer, "127.244.0.5", 0)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_):
        self.server.close()
        await self.server.wait_closed()
        # Before Python 3.12 that waits for no connection; one left open is collected in a later test.
        await asyncio.gather(*self.handlers, return_exceptions=True)

    async def _answer(self, reader, writer):
        self.handlers.add(asyncio.current_task())
        try:
            await self.serve(reader, writer)
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _serve(self, reader, writer):
        self.heads.append((await reader.readuntil(b"\r\n\r\n")).decode())
        answer = self.answers[min(len(self.heads), len(self.answers)) - 1]
        if answer is None:
            await reader.read()
        writer.write((answer or "").encode())


@pytest.fixture
async def checks():
    made = Checks("1.37", HostSockets())
    yield made
    await made.close()


def answer(status, *headers):
    return "\r\n".join([f"HTTP/1.1 {status} X", *headers, "Content-Length: 0", "", ""])


@pytest.mark.parametrize(
    ("status", "ok", "output"),
    [
        (200, True, ""),
        (204, True, ""),
        (400, False, "HTTP probe failed with statuscode: 400"),
        (503, False, "HTTP probe failed with statuscode: 503"),
    ],
)
async def test_statuses_from_200_to_299_pass(checks, status, ok, output):
    async with Server(answer(status)) as server:
        verdict = await checks.check({"httpGet": {"port": server.port}}, target())
    assert verdict == CheckResult(ok, output)
    assert "User-Agent: kube-probe/1.37" in server.heads[0]


@pytest.mark.parametrize("status", [300, 302, 304, 399])
async def test_a_redirect_that_leads_nowhere_passes_with_a_warning(checks, status):
    async with Server(answer(status)) as server:
        verdict = await checks.check({"httpGet": {"port": server.port}}, target())
    assert verdict == CheckResult(True, "Probe terminated redirects, Response body: ", warning=True)


async def test_redirects_that_never_end_fail_and_name_who_sent_them(checks):
    async with Server(answer(302, "Location: /loop")) as server:
        action = {"port": server.port, "path": "/first"}
        verdict = await checks.check({"httpGet": action}, target())
    assert verdict == CheckResult(False, 'Get "/loop": stopped after 10 redirects')
    assert len(server.heads) == 10
    assert "Referer" not in server.heads[0]
    assert f"Referer: http://10.244.0.5:{server.port}/first\r\n" in server.heads[1]


async def test_a_redirect_to_the_address_that_the_api_shows_is_followed(checks):
    async with Server(None, answer(200)) as server:
        server.answers = (
            answer(302, f"Location: http://10.244.0.5:{server.port}/next"),
            answer(200),
        )
        verdict = await checks.check({"httpGet": {"port": server.port}}, target())
    assert verdict == CheckResult(True, "")
    assert [head.split()[1] for head in server.heads] == ["/", "/next"]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("HTTP/1.1 abc OK", 'malformed HTTP status code "abc"'),
        ("HTTP/1.1 2000 OK", 'malformed HTTP status code "2000"'),
        ("nonsense", 'malformed HTTP response "nonsense"'),
    ],
)
async def test_an_answer_that_is_no_http_is_worded_as_go_does(checks, line, words):
    async with Server(f"{line}\r\n\r\n") as server:
        verdict = await checks.check({"httpGet": {"port": server.port}}, target())
    place = f"http://10.244.0.5:{server.port}/"
    broken = "net/http: HTTP/1.x transport connection broken"
    assert verdict == CheckResult(False, f'Get "{place}": {broken}: {words}')


async def test_https_on_a_port_that_speaks_http(checks):
    page = "<!DOCTYPE HTML><p>Bad request syntax"

    async def serve(reader, writer):
        await reader.read(100)
        writer.write(page.encode())

    async with Server(serve=serve) as server:
        port = server.port
        verdict = await checks.check({"httpGet": {"port": port, "scheme": "HTTPS"}}, target())
    words = "tls: first record does not look like a TLS handshake"
    assert verdict == CheckResult(False, f'Get "https://10.244.0.5:{port}/": {words}')


async def test_a_body_that_comes_too_late_is_the_checks_own_trouble(checks):
    async def drip(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nx")
        await reader.read()

    async with Server(serve=drip) as server:
        probe = {"httpGet": {"port": server.port}, "timeoutSeconds": 0.2}
        verdict = await checks.check(probe, target())
    words = "context deadline exceeded (Client.Timeout or context cancellation while reading body)"
    assert verdict == CheckResult(None, words, state="failure")


async def test_redirects_are_followed_on_the_same_host_only(checks):
    here = answer(302, "Location: /there")
    async with Server(here, answer(200)) as server:
        verdict = await checks.check({"httpGet": {"port": server.port}}, target())
        assert verdict == CheckResult(True)
        assert server.heads[1].startswith("GET /there ")
    async with Server(answer(302, "Location: http://elsewhere.example/")) as server:
        verdict = await checks.check({"httpGet": {"port": server.port}}, target())
    assert verdict.ok
    assert verdict.warning


async def test_silence_is_a_failure_after_the_timeout(checks):
    async with Server(None) as server:
        probe = {"httpGet": {"port": server.port}, "timeoutSeconds": 0.1}
        verdict = await checks.check(probe, target())
    url = f"http://10.244.0.5:{server.port}/"
    words = "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
    assert verdict == CheckResult(False, f'Get "{url}": {words}')


async def test_a_refused_connection_is_worded_by_the_address_that_the_api_shows(checks):
    async with Server(answer(200)) as server:
        port = server.port
    refused = f"dial tcp 10.244.0.5:{port}: connect: connection refused"
    verdict = await checks.check({"httpGet": {"port": port}}, target())
    assert verdict == CheckResult(False, f'Get "http://10.244.0.5:{port}/": {refused}')
    verdict = await checks.check({"tcpSocket": {"port": port}}, target())
    assert verdict == CheckResult(False, refused)


async def test_tcp_passes_where_somebody_listens(checks):
    async with Server("") as server:
        verdict = await checks.check({"tcpSocket": {"port": server.port}}, target())
    assert verdict == CheckResult(True)


async def test_an_unknown_port_name_is_an_error_not_a_failure(checks):
    verdict = await checks.check({"tcpSocket": {"port": "nothing"}}, target())
    assert verdict == CheckResult(None, 'port "nothing" not found')
