"""The course's web app, really started on a free loopback port."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from programs import Program, Start, starting

from k8s_helpers._paths import COURSE

MAIN = COURSE / "apps/vitrine/src/main.py"


@pytest.fixture
def start() -> Iterator[Start]:
    argv = [sys.executable, "-B", "-S", str(MAIN)]
    with starting(argv, POD_NAME="vitrine-test") as started:
        yield started


@pytest.mark.parametrize(
    ("version", "colour", "code"),
    [("v1", "bleu", "#0072B2"), ("v2", "vert", "#009E73"), ("v3", "violet", "#AA4499")],
)
def test_versions_differ_in_colour_text_and_header(
    start: Start, version: str, colour: str, code: str
) -> None:
    app = start(VERSION=version)
    answer = app.ask("/")
    assert answer.headers["X-App-Version"] == version
    assert answer.headers["X-Pod-Name"] == "vitrine-test"
    assert answer.headers.get_content_type() == "text/html"
    for text in (f"version {version}", colour, code, "vitrine-test"):
        assert text in answer.text


def test_the_page_is_json_for_who_asks_for_json(start: Start) -> None:
    app = start(VERSION="v2")
    plain = json.loads(app.ask("/", Accept="application/json").text)
    assert (plain["version"], plain["colour"], plain["visits"]) == ("v2", "vert", 1)
    assert app.json("/api/info")["visits"] == 1  # only the page counts


def test_the_page_escapes_what_it_is_given(start: Start) -> None:
    app = start(MESSAGE="<script>alert(1)</script>")
    assert "<script>" not in app.ask("/").text


def test_state_lives_and_dies_with_the_process(start: Start) -> None:
    app = start()
    app.json("/state", "POST")
    assert app.json("/state", "POST")["counter"] == 2
    assert app.json("/state")["counter"] == 2
    assert start().json("/state")["counter"] == 0


def test_the_file_is_read_again_the_environment_is_not(start: Start, tmp_path: Path) -> None:
    file = tmp_path / "message.txt"
    app = start(MESSAGE="par l’environnement", CONFIG_FILE=str(file))
    assert app.json("/config")["used"] == "par l’environnement"
    file.write_text("par le fichier\n", encoding="utf-8")
    assert app.json("/config")["used"] == "par le fichier"
    assert "par le fichier" in app.ask("/").text


def test_a_cache_takes_its_memory_at_the_start(start: Start) -> None:
    app = start(CACHE_MB="40")
    lines = app.ask("/metrics").text.splitlines()
    (resident,) = [line for line in lines if line.startswith("process_resident_memory_bytes ")]
    assert float(resident.split()[1]) > 40 * 2**20
    assert app.event("listening")["cache_mb"] == 40
    assert "cache_mb" not in start().event("listening")


@pytest.mark.parametrize(
    ("probe", "path"), [("live", "/healthz/live"), ("ready", "/healthz/ready")]
)
def test_a_probe_is_broken_and_repaired_alone(start: Start, probe: str, path: str) -> None:
    app = start()
    other = {"/healthz/live": "/healthz/ready", "/healthz/ready": "/healthz/live"}[path]
    assert app.ask(path).status == 200
    app.json(f"/admin/{probe}/off", "POST")
    assert (app.ask(path).status, app.ask(other).status, app.ask("/").status) == (503, 200, 200)
    app.json(f"/admin/{probe}/on", "POST")
    assert app.ask(path).status == 200


def test_cpu_uses_the_processor_and_slow_does_not(start: Start) -> None:
    app = start()

    def used_s() -> float:
        lines = app.ask("/metrics").text.splitlines()
        return next(float(line.split()[1]) for line in lines if line.startswith("process_cpu_s"))

    before = used_s()
    app.json("/cpu?ms=300")
    burned = used_s()
    app.json("/slow?ms=300")
    assert burned - before >= 0.29
    assert used_s() - burned < 0.15


@pytest.mark.parametrize("path", ["/cpu?ms=-1", "/cpu?ms=abc", "/cpu?ms=nan", "/slow?ms=1e9"])
def test_senseless_milliseconds_are_refused(start: Start, path: str) -> None:
    assert start().ask(path).status == 400


def test_metrics_count_by_status_and_time(start: Start) -> None:
    app = start(VERSION="v3")
    for path in ("/", "/", "/nowhere"):
        app.ask(path)
    text = app.ask("/metrics").text
    assert 'vitrine_requests_total{method="GET",status="200",version="v3"} 2' in text
    assert 'vitrine_requests_total{method="GET",status="404",version="v3"} 1' in text
    assert 'vitrine_request_duration_seconds_bucket{le="+Inf"} 3' in text
    assert "vitrine_requests_in_flight 1" in text  # this very request


def test_unknown_paths_and_methods(start: Start) -> None:
    app = start()
    assert app.ask("/nowhere").status == 404
    wrong = app.ask("/state", "DELETE")
    assert (wrong.status, wrong.headers["Allow"]) == (405, "GET, POST")
    head = app.ask("/api/info", "HEAD")
    assert (head.status, head.text) == (200, "")
    assert int(head.headers["Content-Length"]) > 0


def test_a_connection_is_kept_or_closed_as_asked(start: Start) -> None:
    app = start()
    with contextlib.closing(app.connection()) as connection:
        for _ in range(3):
            connection.request("GET", "/api/info")
            response = connection.getresponse()
            response.read()
            assert response.headers["Connection"] == "keep-alive"
            kept = connection.sock
        assert kept is connection.sock is not None
        connection.request("GET", "/api/info", headers={"Connection": "close"})
        response = connection.getresponse()
        response.read()
        assert response.headers["Connection"] == "close"
        assert response.isclosed() and connection.sock is None


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"nonsense\r\n\r\n", b"400"),
        (b"GET / SPDY/9\r\n\r\n", b"400"),
        (b"GET http://[ HTTP/1.1\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nno colon\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\n" + b"X: " + b"a" * 40_000 + b"\r\n\r\n", b"431"),
        (b"POST /state HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", b"411"),
        (b"POST /state HTTP/1.1\r\nContent-Length: 9999999\r\n\r\n", b"413"),
    ],
)
def test_what_is_not_http_gets_an_answer_and_harms_nobody(
    start: Start, sent: bytes, status: bytes
) -> None:
    app = start()
    with socket.create_connection(("127.0.0.1", app.port), timeout=20) as raw:
        raw.sendall(sent)
        assert raw.recv(100).split()[1] == status
    assert app.ask("/").status == 200


def test_logs_are_json_and_probes_are_quiet(start: Start) -> None:
    app = start(VERSION="v2")
    app.ask("/healthz/live")
    app.ask("/")
    line = app.event("request")
    assert (line["path"], line["status"], line["version"], line["pod"]) == (
        "/",
        200,
        "v2",
        "vitrine-test",
    )
    assert [line["path"] for line in app.lines if line["event"] == "request"] == ["/"]


def test_nobody_listens_during_the_startup(start: Start) -> None:
    began = time.monotonic()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    app = start(PORT=str(port), STARTUP_SECONDS="1")
    app.event("starting")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port)).close()
    app.event("listening")
    assert time.monotonic() - began >= 1
    assert app.ask("/").status == 200


def _slow_request(app: Program, outcome: list[object]) -> threading.Thread:
    def ask() -> None:
        try:
            outcome.append(app.ask("/slow?ms=1000").status)
        except (http.client.HTTPException, OSError) as error:
            outcome.append(error)

    app.event("listening")
    thread = threading.Thread(target=ask)
    thread.start()
    while "in_flight 2" not in app.ask("/metrics").text:
        time.sleep(0.01)
    return thread


def test_without_grace_a_request_under_way_is_cut(start: Start) -> None:
    app = start()
    outcome: list[object] = []
    thread = _slow_request(app, outcome)
    app.terminate()
    thread.join()
    assert isinstance(outcome[0], Exception)
    assert app.exit_code() == 143


def test_with_grace_a_request_under_way_is_finished_and_no_other_accepted(start: Start) -> None:
    app = start(GRACEFUL="1")
    port = app.port
    outcome: list[object] = []
    thread = _slow_request(app, outcome)
    app.terminate()
    app.event("draining")
    deadline = time.monotonic() + 20
    with pytest.raises(ConnectionRefusedError):
        while time.monotonic() < deadline:
            socket.create_connection(("127.0.0.1", port)).close()
    thread.join()
    assert outcome == [200]
    assert app.exit_code() == 0


def test_draining_serves_on_and_says_that_it_is_not_ready(start: Start) -> None:
    app = start(GRACEFUL="1", DRAIN_SECONDS="1.5")
    app.event("listening")
    app.terminate()
    app.event("draining")
    assert (app.ask("/").status, app.ask("/healthz/ready").status) == (200, 503)
    assert app.ask("/healthz/live").status == 200
    assert app.exit_code() == 0


def test_an_idle_kept_connection_does_not_delay_the_end(start: Start) -> None:
    app = start(GRACEFUL="1")
    with contextlib.closing(app.connection()) as connection:
        connection.request("GET", "/api/info")
        connection.getresponse().read()
        began = time.monotonic()
        app.terminate()
        assert app.exit_code() == 0
        assert time.monotonic() - began < 15  # the idle connection would hold it for 30


def test_a_graceful_end_under_traffic_loses_nobody(start: Start) -> None:
    """Every connection that was accepted by the kernel gets its answer."""
    app = start(GRACEFUL="1", DRAIN_SECONDS="0.3")
    port = app.port
    statuses: list[object] = []

    def ask() -> bytes:
        with socket.create_connection(("127.0.0.1", port), timeout=20) as raw:
            raw.sendall(b"GET /api/info HTTP/1.1\r\nConnection: close\r\n\r\n")
            return raw.recv(12)

    def client() -> None:
        while True:
            try:
                statuses.append(ask())
            except ConnectionRefusedError:
                return  # nobody listens any more: the end of the traffic
            except OSError as error:  # a reset while it connects counts as one after it
                statuses.append(error)

    threads = [threading.Thread(target=client) for _ in range(4)]
    for thread in threads:
        thread.start()
    end_s = time.monotonic() + 30
    while len(statuses) <= 50 and time.monotonic() < end_s:
        time.sleep(0.01)
    app.terminate()
    for thread in threads:
        thread.join()
    # The instant between the last accept and the close is the kernel's: at most one connection a client is in it.
    lost = [status for status in statuses if status != b"HTTP/1.1 200"]
    assert len(lost) <= len(threads)
    assert len(statuses) > 50


@pytest.mark.parametrize("variable", ["PORT", "STARTUP_SECONDS", "GRACEFUL", "WORK_MS"])
def test_a_senseless_setting_is_said_in_one_sentence(start: Start, variable: str) -> None:
    app = start(**{variable: "beaucoup"})
    assert app.exit_code() == 2
    message = app.errors()
    assert f"{variable}=beaucoup" in message and "Traceback" not in message
