"""The site and its database, really started on free loopback ports."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from programs import Answer, Program, Start, starting

from k8s_helpers._paths import COURSE

MAIN = COURSE / "apps/carnet/src/main.py"
PYTHON = [sys.executable, "-B", "-S", str(MAIN)]


@pytest.fixture
def base(tmp_path: Path) -> Iterator[Start]:
    with starting([*PYTHON, "base"], POD_NAME="base-test", DATA_DIR=str(tmp_path / "d")) as start:
        yield start


@pytest.fixture
def site() -> Iterator[Start]:
    with starting([*PYTHON, "site"], POD_NAME="site-test") as start:
        yield start


def post(app: Program, path: str, body: str = "") -> Answer:
    with contextlib.closing(app.connection()) as connection:
        connection.request("POST", path, body.encode())
        return Answer(connection.getresponse())


def note(app: Program, text: str) -> Answer:
    return post(app, "/notes", json.dumps({"text": text}))


def client(database: Program, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PYTHON, *arguments],
        env={"DATABASE_URL": url(database)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def url(app: Program) -> str:
    return f"http://127.0.0.1:{app.port}"


def test_the_site_shows_what_its_database_keeps(base: Start, site: Start) -> None:
    database = base(VERSION="v2")
    front = site(DATABASE_URL=url(database))
    answer = note(front, "du <pain>")
    assert (answer.status, json.loads(answer.text)["count"]) == (201, 1)
    assert answer.headers["X-Pod-Name"] == "site-test"
    assert answer.headers["X-Database-Pod"] == "base-test"
    assert answer.headers["X-App-Version"] == "v1"
    assert front.json("/notes")["notes"] == ["du <pain>"]
    page = front.ask("/").text
    assert "du &lt;pain&gt;" in page and "site-test" in page and "base-test" in page
    info = database.json("/api/info")
    assert (info["role"], info["version"], info["notes"]) == ("base", "v2", 1)


def test_two_databases_know_nothing_of_each_other(base: Start, site: Start, tmp_path: Path) -> None:
    one, other = base(), base(DATA_DIR=str(tmp_path / "other"))
    note(site(DATABASE_URL=url(one)), "ici")
    assert site(DATABASE_URL=url(other)).json("/notes")["notes"] == []


def test_localhost_is_the_address_where_the_pod_listens(site: Start) -> None:
    app = site(DATABASE_URL="http://localhost:9", BIND_ADDR="127.77.0.1")
    app.event("listening")
    assert app.event("listening")["address"] == "127.77.0.1"
    done = subprocess.run(
        [*PYTHON, "notes"],
        env={"BIND_ADDR": "127.77.0.1", "DATABASE_URL": "http://localhost:9"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1 and "http://127.77.0.1:9 ne répond pas" in done.stderr


def test_a_confirmed_note_survives_a_sudden_end(base: Start) -> None:
    first = base()
    assert note(first, "un").status == 201
    first.process.kill()
    first.exit_code()
    second = base()
    assert second.json("/notes")["notes"] == ["un"]
    assert note(second, "deux").status == 201


def test_a_line_that_was_cut_is_dropped_and_harms_no_other(base: Start, tmp_path: Path) -> None:
    folder = tmp_path / "cut"
    folder.mkdir()
    (folder / "notes.jsonl").write_text('{"text": "un"}\n{"text": "de')
    app = base(DATA_DIR=str(folder))
    assert app.json("/notes")["notes"] == ["un"]
    note(app, "trois")
    app.terminate()
    app.exit_code()
    assert base(DATA_DIR=str(folder)).json("/notes")["notes"] == ["un", "trois"]


def test_notes_written_at_once_are_all_kept(base: Start) -> None:
    app = base()
    threads = [threading.Thread(target=note, args=(app, str(number))) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(int, app.json("/notes")["notes"])) == list(range(20))


def test_a_site_without_its_database_says_so_and_stays_ready(site: Start) -> None:
    app = site(DATABASE_URL="http://127.0.0.1:9")
    answer = app.ask("/notes")
    assert answer.status == 503
    assert "http://127.0.0.1:9 ne répond pas" in json.loads(answer.text)["error"]
    assert app.ask("/healthz/ready").status == 200


@pytest.mark.parametrize(
    ("body", "status"), [("{", 400), ("[]", 400), ('{"text": " "}', 400), ('{"text": 5}', 400)]
)
def test_what_is_no_note_is_refused_with_a_sentence(base: Start, body: str, status: int) -> None:
    app = base()
    answer = post(app, "/notes", body)
    assert answer.status == status and "acheter du pain" in answer.text
    assert app.json("/notes")["notes"] == []


def test_unknown_paths_methods_and_bodies_too_large(base: Start) -> None:
    app = base()
    assert app.ask("/nowhere").status == 404
    assert post(app, "/api/info").status == 405
    assert note(app, "x" * 100_000).status == 413


def test_readiness_is_broken_and_repaired(base: Start) -> None:
    app = base()
    assert post(app, "/admin/ready/off").status == 200
    assert (app.ask("/healthz/ready").status, app.ask("/healthz/live").status) == (503, 200)
    post(app, "/admin/ready/on")
    assert app.ask("/healthz/ready").status == 200


def test_the_commands_talk_to_the_database(base: Start) -> None:
    app = base()
    assert client(app, "notes").stdout == ""
    assert json.loads(client(app, "note", "acheter", "du pain").stdout)["count"] == 1
    assert client(app, "notes").stdout == "acheter du pain\n"
    assert client(app, "notes", url(app) + "/").stdout == "acheter du pain\n"
    assert json.loads(client(app, "info", url(app)).stdout)["pod"] == "base-test"
    assert client(app, "note").returncode == client(app, "danse").returncode == 2
    assert client(app, "panne").returncode == 0
    assert app.exit_code() == 1


@pytest.mark.parametrize("role", ["site", "base"])
def test_sigterm_ends_it_well_during_the_startup_too(role: str, tmp_path: Path) -> None:
    with starting([*PYTHON, role], DATA_DIR=str(tmp_path)) as start:
        for app, event in ((start(), "listening"), (start(STARTUP_SECONDS="60"), "starting")):
            app.event(event)
            app.terminate()
            assert app.exit_code() == 0
            assert app.lines[-1]["event"] == "stopped"


def connected_to(port: int) -> bool:
    """Return whether a connection to a port of this machine stands."""
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    rows = (line.split() for line in lines)
    return any(row[2].endswith(f":{port:04X}") and row[3] == "01" for row in rows)


def test_a_request_under_way_is_finished(base: Start, site: Start) -> None:
    database = base()
    front = site(DATABASE_URL=url(database))
    front.event("listening")
    database.process.send_signal(signal.SIGSTOP)
    answers: list[Answer] = []
    thread = threading.Thread(target=lambda: answers.append(note(front, "en cours")))
    thread.start()
    deadline = time.monotonic() + 30
    while not connected_to(database.port):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    front.terminate()
    front.event("draining")
    database.process.send_signal(signal.SIGCONT)
    thread.join()
    assert [answer.status for answer in answers] == [201]
    assert front.exit_code() == 0


@pytest.mark.parametrize(
    ("variable", "value"), [("PORT", "beaucoup"), ("STARTUP_SECONDS", "-1"), ("DATABASE_URL", "x")]
)
def test_a_senseless_setting_is_said_in_one_sentence(
    site: Start, variable: str, value: str
) -> None:
    app = site(**{variable: value})
    assert app.exit_code() == 2
    message = app.errors()
    assert f"{variable}={value}" in message and "Traceback" not in message


def test_a_folder_that_cannot_be_written_is_said(base: Start) -> None:
    app = base(DATA_DIR="/proc/nulle-part")
    assert app.exit_code() == 1
    assert "/proc/nulle-part" in app.errors()


TRACE, CALLER = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


def test_a_trace_goes_from_the_site_to_the_database(base: Start, site: Start) -> None:
    database = base(DISK_MS="20")
    front = site(DATABASE_URL=url(database))
    answer = front.ask("/bilan", traceparent=f"00-{TRACE}-{CALLER}-01")
    assert json.loads(answer.text)["count"] == 0
    first, second, whole = front.all("span", 3)
    assert (whole["name"], whole["kind"]) == ("GET /bilan", "server")
    assert whole["parent_span_id"] == CALLER
    assert {first["parent_span_id"], second["parent_span_id"]} == {whole["span_id"]}
    disk, served, *_ = database.all("span", 4)
    assert (served["parent_span_id"], served["kind"]) == (first["span_id"], "server")
    assert disk["parent_span_id"] == served["span_id"]
    assert disk["end_time_unix_nano"] - disk["start_time_unix_nano"] >= 20e6
    assert {span["trace_id"] for span in (first, second, whole, disk, served)} == {TRACE}


@pytest.mark.parametrize(
    "header",
    [
        "",
        f"00-{TRACE}-{CALLER}-00",
        f"00-{'0' * 32}-{CALLER}-01",
        f"ff-{TRACE}-{CALLER}-01",
        "autre chose",
    ],
)
def test_without_a_sampled_trace_no_span_is_written(base: Start, site: Start, header: str) -> None:
    front = site(DATABASE_URL=url(base()))
    assert front.ask("/notes", traceparent=header).status == 200
    front.event("request")
    assert "span" not in front.events()
