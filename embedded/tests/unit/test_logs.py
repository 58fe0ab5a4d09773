"""Container logs in the CRI's format."""

import re

import pytest

from embedded_kubernetes.node.runtime import logs


@pytest.fixture
def log(tmp_path):
    return logs.LogFile(tmp_path / "pods" / "0.log")


def fields(log: logs.LogFile) -> list[tuple[str, str, str]]:
    found = []
    for line in log.path.read_text().splitlines():
        time, stream, tag, text = line.split(" ", 3)
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z", time)
        found.append((stream, tag, text))
    return found


def test_a_line_is_stored_once_it_is_complete(log):
    log.write("stdout", b"one\ntw")
    assert fields(log) == [("stdout", "F", "one")]
    log.write("stderr", b"other\n")
    log.write("stdout", b"o\n\n")
    assert fields(log)[1:] == [
        ("stderr", "F", "other"),
        ("stdout", "F", "two"),
        ("stdout", "F", ""),
    ]
    log.write("stdout", b"end")
    log.close()
    assert fields(log)[-1] == ("stdout", "P", "end")


@pytest.mark.parametrize("chunk", [1000, 10**6])
def test_a_long_line_is_stored_in_pieces(log, chunk):
    line = b"x" * (2 * logs.LONGEST_LINE_BYTES + 10) + b"\n"
    for start in range(0, len(line), chunk):
        log.write("stdout", line[start : start + chunk])
    stored = fields(log)
    assert [(tag, len(text)) for _, tag, text in stored] == [
        ("P", logs.LONGEST_LINE_BYTES),
        ("P", logs.LONGEST_LINE_BYTES),
        ("F", 10),
    ]
    log.close()


def test_rotation_keeps_one_older_part(log, monkeypatch):
    monkeypatch.setattr(logs, "ROTATE_BYTES", 1000)
    for number in range(40):
        log.write("stdout", b"%060d\n" % number)
    log.close()
    older, newer = logs.rotated(log.path), log.path
    assert older.stat().st_size <= 1000 and newer.stat().st_size <= 1000
    numbers = [
        int(line.split(" ")[3]) for line in (older.read_text() + newer.read_text()).splitlines()
    ]
    assert numbers == list(range(numbers[0], 40)) and len(numbers) >= 10
    assert sorted(path.name for path in log.path.parent.iterdir()) == ["0.log", "0.log.1"]


def test_the_time_is_utc_with_nanoseconds():
    assert logs.timestamp(1_767_225_600_000_000_042) == b"2026-01-01T00:00:00.000000042Z"
