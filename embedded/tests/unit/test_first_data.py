"""What a new cluster's etcd begins with: copied with identifiers and times of its own, made again where damaged."""

from __future__ import annotations

import hashlib
import json
import re
import threading
import time
import uuid
from pathlib import Path

import pytest

from embedded_kubernetes.control import first_data
from embedded_kubernetes.control.first_data import kept, making
from embedded_kubernetes.programs.binaries import Binaries

BEGAN_S, ENDED_S = 1_796_000_000, 1_796_000_005
A, B = "6f0c8f0e-0000-4000-8000-00000000000a", "6f0c8f0e-0000-4000-8000-00000000000b"
UID = re.compile(rb"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Steps:
    """A progress that keeps what it is given."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def step(self, words: str) -> None:
        self.said.append(words)

    def done(self, words: str) -> None:
        self.said.append(words)


def protobuf_time(seconds: int) -> bytes:
    """Return a `metav1.Time` as etcd keeps it, by protobuf's own rules."""
    varint = bytearray()
    rest = seconds
    while rest > 0x7F:
        varint.append(rest & 0x7F | 0x80)
        rest >>= 7
    varint.append(rest)
    return b"\x08" + bytes(varint) + b"\x10\x00"


def text_time(seconds: int) -> bytes:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds)).encode()


DATABASE = b"|".join(
    (
        A.encode(),
        protobuf_time(BEGAN_S),
        B.encode(),
        protobuf_time(BEGAN_S - 86400),  # no time of its making
        text_time(ENDED_S),
        A.encode(),
    )
)


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Binaries:
    monkeypatch.setattr(kept.paths, "cache_dir", lambda: tmp_path)
    return Binaries(tmp_path / "bin", "v1.37.0")


def write(folder: Path, version: str = "v1.37.0") -> None:
    """Write data as they are kept in the cache."""
    folder.mkdir(parents=True)
    (folder / "db").write_bytes(DATABASE)
    (folder / "wal").write_bytes(b"log")
    facts = {
        "kubernetes": version,
        "recipe": kept.RECIPE,
        "sha256": {
            name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in ("db", "wal")
        },
        **making.places_in(DATABASE, BEGAN_S, ENDED_S),
    }
    (folder / "made.json").write_text(json.dumps(facts))


def folder_of(tmp_path: Path) -> Path:
    return tmp_path / "first-data" / f"v1.37.0-{kept.RECIPE}"


def test_each_cluster_has_identifiers_and_times_of_its_own(
    programs: Binaries, tmp_path: Path
) -> None:
    write(folder_of(tmp_path))
    data = first_data.ensure(programs, Steps())
    assert data is not None
    databases = []
    for name in ("one", "two"):
        data.plant(tmp_path / name, 1_800_000_000)
        databases.append((tmp_path / name / "member" / "snap" / "db").read_bytes())
        assert [path.read_bytes() for path in (tmp_path / name / "member" / "wal").iterdir()] == [
            b"log"
        ]
    for planted in databases:
        first, second, third = UID.findall(planted)
        assert first == third != second
        assert {uuid.UUID(each.decode()).version for each in (first, second)} == {4}
        assert protobuf_time(1_800_000_000) in planted and text_time(1_800_000_000) in planted
        assert protobuf_time(BEGAN_S - 86400) in planted
        assert len(planted) == len(DATABASE)
    assert not set(UID.findall(databases[0])) & set(UID.findall(databases[1]))


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda folder: (folder / "db").write_bytes(b"zeros"), "db a changé"),
        (lambda folder: (folder / "wal").unlink(), "wal"),
        (lambda folder: (folder / "made.json").write_text("{"), "abîmées"),
        (lambda folder: (folder / "made.json").write_text("[]"), "abîmées"),
        (
            lambda folder: (folder / "made.json").write_text(
                (folder / "made.json").read_text().replace("v1.37.0", "v1.36.2")
            ),
            "autre version",
        ),
    ],
)
def test_damaged_data_are_made_again_and_it_is_said(
    programs: Binaries, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage, said: str
) -> None:
    write(folder_of(tmp_path))
    damage(folder_of(tmp_path))
    monkeypatch.setattr(making, "make", lambda _, folder: write(folder))
    steps = Steps()
    assert first_data.ensure(programs, steps) is not None
    assert said in steps.said[0] and "refaites" in steps.said[0]
    assert first_data.ensure(programs, again := Steps()) is not None
    assert again.said == []


def test_what_cannot_be_made_is_said_and_nothing_stays(programs: Binaries, tmp_path: Path) -> None:
    steps = Steps()
    assert first_data.ensure(programs, steps) is None  # there are no programs
    assert "s’en passe" in steps.said[-1]
    assert [path.name for path in (tmp_path / "first-data").iterdir()] == [".lock"]


def test_programs_that_end_at_once_do_not_hold_up_the_start(
    programs: Binaries, tmp_path: Path
) -> None:
    programs.folder.mkdir()
    for name in ("etcd", "kube-apiserver"):
        (programs.folder / name).write_text("#!/bin/sh\nexit 3\n")
        (programs.folder / name).chmod(0o755)
    began_s = time.monotonic()
    assert first_data.ensure(programs, Steps()) is None
    assert time.monotonic() - began_s < making._MAKING_S / 2


def test_two_starts_at_once_make_them_once(
    programs: Binaries, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, meeting = [], threading.Barrier(2)

    def make(_: Binaries, folder: Path) -> None:
        made.append(folder)
        write(folder)

    read = first_data._found

    def found_together(*arguments: object) -> object:
        data = read(*arguments)  # type: ignore[arg-type]
        meeting.wait(10)
        return data

    monkeypatch.setattr(making, "make", make)
    monkeypatch.setattr(first_data, "_found", found_together)
    answers: list[object] = []
    threads = [
        threading.Thread(target=lambda: answers.append(first_data.ensure(programs, Steps())))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1 and len(answers) == 2 and None not in answers


@pytest.mark.parametrize("wall_s", [5, 1_796_000_000, 2**34])
def test_a_clock_that_is_wrong_gives_times_that_can_be_read(
    programs: Binaries, tmp_path: Path, wall_s: int
) -> None:
    write(folder_of(tmp_path))
    data = first_data.ensure(programs, Steps())
    assert data is not None
    data.plant(tmp_path / "etcd", wall_s)
    planted = (tmp_path / "etcd" / "member" / "snap" / "db").read_bytes()
    place = data.seconds[0]
    assert making._number(planted[place : place + 5]) == wall_s
    assert planted[place + 4] < 0x80 <= min(planted[place : place + 4])  # five bytes, as before


def test_a_cut_copy_is_made_again(programs: Binaries, tmp_path: Path) -> None:
    """A start that was killed while it copied leaves a draft, which no etcd reads."""
    write(folder_of(tmp_path))
    data = first_data.ensure(programs, Steps())
    assert data is not None
    (tmp_path / "etcd.draft" / "member").mkdir(parents=True)
    (tmp_path / "etcd.draft" / "member" / "half").write_bytes(b"x")
    data.plant(tmp_path / "etcd")
    assert sorted(path.name for path in (tmp_path / "etcd" / "member").iterdir()) == ["snap", "wal"]
    assert not (tmp_path / "etcd.draft").exists()


def test_only_the_room_at_the_end_of_the_log_is_left_out() -> None:
    log = b"entries\0\0and more" + bytes(64_000_000)
    short = making.without_room(log)
    assert short.startswith(b"entries\0\0and more\0") and len(short) == 8192
