"""The slow program's contract (`apps/demarrage_lent/README.md`), on the real one and on its stand-in."""

from __future__ import annotations

import http.client
import json
import os
import socket
import sys
import threading
import time
from collections.abc import Iterator

import pytest
from programs import Program, Start, starting

from k8s_helpers._paths import COURSE
from k8s_helpers._progress import Silent
from k8s_helpers.builds import jars
from k8s_helpers.measure import slow_program

APP = COURSE / "apps/demarrage_lent"
LIVE, READY, BOTH = (f"/actuator/health{end}" for end in ("/liveness", "/readiness", ""))


@pytest.fixture(scope="module", params=["standin", "real"])
def argv(request: pytest.FixtureRequest) -> list[str]:
    if request.param == "standin":
        return [sys.executable, "-B", "-S", str(APP / "standin/src/main.py")]
    if os.environ.get("K8S_HELPERS_SPRING") == "standin":
        pytest.skip("K8S_HELPERS_SPRING=standin")
    try:
        jar = jars.ensure(APP, Silent())
        if (jars.java_version() or 0) < jars.JAVA_VERSION:
            raise jars.MachineError("Java", str(jars.java_version()), "")
    except jars.MachineError as error:
        if os.environ.get("K8S_HELPERS_SPRING") == "real":
            raise
        pytest.skip(str(error))
    return ["java", f"@{APP / 'jvm.options'}", "-jar", str(jar)]


@pytest.fixture
def start(argv: list[str]) -> Iterator[Start]:
    environment = {"PATH": os.environ["PATH"], "POD_NAME": "pod-1", "DELAY_SECONDS": "0"}
    with starting(argv, **environment) as started:
        yield started


@pytest.fixture(scope="module")
def ready(argv: list[str]) -> Iterator[Program]:
    """One program for all tests that leave it as they found it: a virtual machine takes seconds to start."""
    environment = {"PATH": os.environ["PATH"], "POD_NAME": "pod-1", "DELAY_SECONDS": "0"}
    with starting(argv, VERSION="v2", **environment) as started_with:
        yield started(started_with())


def statuses(program: Program) -> tuple[int, ...]:
    return tuple(program.ask(path).status for path in ("/", LIVE, READY, BOTH))


def started(program: Program) -> Program:
    """Wait until it has accepted traffic, which comes just after its last line."""
    program.event("listening")
    program.event("delay over")
    deadline = time.monotonic() + 60
    while program.ask(READY).status != 200:
        assert time.monotonic() < deadline
    return program


@pytest.mark.quiet  # within three seconds of a virtual machine's start
def test_it_listens_and_refuses_until_the_delay_is_over(start: Start) -> None:
    program = start(DELAY_SECONDS="3", BEFORE_READY="refuse")
    program.event("listening")
    assert statuses(program) == (503, 200, 503, 503)
    assert program.ask("/slow?ms=1").status == 503
    assert "démarrage" in program.ask("/").text
    assert "delay over" not in program.events()
    started(program)
    assert statuses(program) == (200, 200, 200, 200)
    waited_s = program.event("delay over")["at"] - program.event("starting")["at"]
    assert 3 <= waited_s < 240
    assert program.events()[:2] == ["starting", "listening"]


@pytest.mark.quiet  # within three seconds of a virtual machine's start
def test_the_slides_program_serves_pages_without_their_data_until_the_delay_is_over(
    start: Start,
) -> None:
    program = start(DELAY_SECONDS="3")
    program.event("listening")
    assert statuses(program) == (200, 200, 503, 503)
    early = program.ask("/").text
    assert "0 articles" in early and slow_program.LOADED not in early
    assert json.loads(program.ask(READY).text) == {"status": "OUT_OF_SERVICE"}
    assert program.ask("/slow?ms=1").status == 200
    assert "delay over" not in program.events()
    assert slow_program.LOADED in started(program).ask("/").text


@pytest.mark.quiet  # within three seconds of a virtual machine's start
def test_late_it_does_not_even_listen(start: Start) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    program = start(PORT=str(port), LISTEN="late", DELAY_SECONDS="2")
    assert program.event("starting")["listen"] == "late"
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port)).close()
    assert program.port == port
    assert program.events()[:3] == ["starting", "delay over", "listening"]
    assert program.event("listening")["at"] - program.event("starting")["at"] >= 2
    assert statuses(started(program)) == (200, 200, 200, 200)


def test_the_slides_delay_is_the_default(start: Start) -> None:
    program = start(DELAY_SECONDS="")
    line = program.event("starting")
    assert (line["delay_s"], line["listen"]) == (60, "early")


@pytest.mark.parametrize("path", ["/", LIVE, READY, "/admin/live/on", "/nowhere"])
def test_every_answer_says_who_gives_it(ready: Program, path: str) -> None:
    answer = ready.ask(path, "POST" if "admin" in path else "GET")
    assert answer.status == (404 if path == "/nowhere" else 200)
    assert (answer.headers["X-App-Version"], answer.headers["X-Pod-Name"]) == ("v2", "pod-1")


def test_the_page_tells_its_version_and_escapes(start: Start) -> None:
    program = started(start(VERSION="v2", POD_NAME="<b>"))
    answer = program.ask("/")
    assert answer.headers.get_content_type() == "text/html"
    assert "version v2" in answer.text and "&lt;b&gt;" in answer.text


@pytest.mark.parametrize(
    ("probe", "broken", "word"),
    [("live", (200, 503, 200, 503), "DOWN"), ("ready", (200, 200, 503, 503), "OUT_OF_SERVICE")],
)
def test_a_probe_is_broken_and_repaired_alone(
    ready: Program, probe: str, broken: tuple[int, ...], word: str
) -> None:
    program, before = ready, ready.events().count("switched")
    told = program.json(f"/admin/{probe}/off", "POST")
    assert told == {"live": probe != "live", "ready": probe != "ready", "pod": "pod-1"}
    assert statuses(program) == broken
    path = {"live": LIVE, "ready": READY}[probe]
    assert json.loads(program.ask(path).text) == {"status": word}
    program.json(f"/admin/{probe}/on", "POST")
    assert statuses(program) == (200, 200, 200, 200)
    switched = [(line["probe"], line["ok"]) for line in program.all("switched", before + 2)]
    assert switched[before:] == [(probe, False), (probe, True)]


@pytest.mark.quiet  # within three seconds of a virtual machine's start
def test_the_end_of_the_delay_wins_over_what_was_asked_before(start: Start) -> None:
    program = start(DELAY_SECONDS="3")
    program.event("listening")
    program.json("/admin/ready/on", "POST")
    assert statuses(program) == (200, 200, 200, 200)
    program.json("/admin/ready/off", "POST")
    assert statuses(started(program)) == (200, 200, 200, 200)


def test_switches_take_post_alone(ready: Program) -> None:
    assert ready.ask("/admin/live/off").status == 405


@pytest.mark.quiet  # within three seconds of a virtual machine's start
def test_the_journal_tells_every_probe_and_no_other_request(start: Start) -> None:
    program = start(VERSION="v2", DELAY_SECONDS="3")
    before = time.time()
    for path in (LIVE, READY, "/", "/nowhere", BOTH):
        program.ask(path)
    probes = program.all("probe", 3)
    assert [(line["path"], line["status"]) for line in probes] == [
        (LIVE, 200),
        (READY, 503),
        (BOTH, 503),
    ]
    # A hundredth of a second for clocks that are read with other precisions.
    assert all(before - 0.01 <= line["at"] <= time.time() + 0.01 for line in probes)
    for line in program.lines:
        assert (line["version"], line["pod"]) == ("v2", "pod-1")
        assert isinstance(line["at"], float)


@pytest.mark.parametrize("listen", ["early", "late"])
@pytest.mark.parametrize("graceful", ["0", "1"])
def test_sigterm_during_the_delay_ends_it_at_once(start: Start, listen: str, graceful: str) -> None:
    program = start(LISTEN=listen, GRACEFUL=graceful, DELAY_SECONDS="600")
    program.event("listening" if listen == "early" else "starting")
    program.terminate()
    assert program.exit_code() == 143
    assert program.events()[-1] == "stopping"


@pytest.mark.parametrize(("graceful", "outcome"), [("0", "cut"), ("1", 200)])
def test_a_request_under_way_is_cut_or_finished(
    start: Start, graceful: str, outcome: object
) -> None:
    program = started(start(GRACEFUL=graceful))
    found: list[object] = []

    def client() -> None:
        try:
            found.append(program.ask("/slow?ms=6000").status)
        except (OSError, http.client.HTTPException):
            found.append("cut")

    thread = threading.Thread(target=client)
    thread.start()
    time.sleep(2)  # it is under way
    program.terminate()
    thread.join()
    assert found == [outcome]
    assert program.exit_code() == 143


@pytest.mark.parametrize("query", ["ms=-1", "ms=abc", "ms=nan", "ms=1e9"])
def test_senseless_milliseconds_are_refused(ready: Program, query: str) -> None:
    assert ready.ask(f"/slow?{query}").status == 400


def test_what_is_not_http_harms_nobody(ready: Program) -> None:
    with socket.create_connection(("127.0.0.1", ready.port), timeout=20) as raw:
        raw.sendall(b"nonsense\r\n\r\n")
        raw.recv(100)
    assert ready.ask("/").status == 200


def test_many_clients_at_once(ready: Program) -> None:
    found: list[object] = []

    def client() -> None:
        for _ in range(20):
            try:
                found.append(ready.ask("/").status)
            except (OSError, http.client.HTTPException) as error:
                found.append(error)

    threads = [threading.Thread(target=client) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [200] * 160


@pytest.mark.parametrize(
    "variable", ["PORT", "DELAY_SECONDS", "LISTEN", "BEFORE_READY", "GRACEFUL"]
)
def test_a_senseless_setting_is_said_in_one_sentence(start: Start, variable: str) -> None:
    program = start(**{variable: "beaucoup"})
    assert program.exit_code() == 2
    message = program.errors()
    assert f"{variable}=beaucoup" in message and message.count("\n") == 1


def test_a_taken_port_ends_it(start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        program = start(PORT=str(other.getsockname()[1]), DELAY_SECONDS="600")
        assert program.exit_code() == 1
    assert "listening" not in program.events()
