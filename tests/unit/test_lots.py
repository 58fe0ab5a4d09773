"""How the tests are shared out and when a part begins."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import lots
import parts
import pytest

ROOT = Path(__file__).parents[2]
ROOM = lots.Room(running=1, settled_s=60, idle_share=0.5, free_bytes=10**10, processors=2)


def test_all_parts_together_are_the_whole() -> None:
    groups = ["b", "b", "a", "c", "a", "d", "e"]
    part_of = parts.shared_out(groups, 3)
    assert part_of == {"b": 1, "a": 2, "c": 3, "d": 1, "e": 2}


@pytest.mark.parametrize("text", ["", "3", "0/2", "3/2", "1/0", "a/b", "1/2/3"])
def test_a_part_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(pytest.UsageError):
        parts.parse(text)


def test_a_part_is_a_number_of_a_number() -> None:
    assert parts.parse("2/15") == (2, 15)


@pytest.mark.parametrize(
    "lacking",
    [{"running": 6}, {"settled_s": 1}, {"idle_share": 0.01}, {"free_bytes": 10**9}],
    ids=lambda lacking: next(iter(lacking)),
)
def test_a_part_waits_for_room(lacking: dict[str, float]) -> None:
    assert ROOM.is_enough()
    assert not replace(ROOM, **lacking).is_enough()  # type: ignore[arg-type]


def test_the_first_part_waits_for_nothing() -> None:
    assert lots.Room(0, 0.0, 0.0, 0).is_enough()


def part(name: str, script: str, *, alone: bool = False, needs: str = "") -> lots.Part:
    """Return a part that runs a few words of Python."""
    return lots.Part("lot", name, (sys.executable, "-c", script), alone, needs)


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever this machine does meanwhile, there is room."""
    monkeypatch.setattr(lots, "PERIOD_S", 0.01)
    monkeypatch.setattr(lots.Room, "is_enough", lambda room: room.running < 3)


def test_each_part_runs_once_and_what_it_counts_is_added_up(
    at_once: None, capsys: pytest.CaptureFixture[str]
) -> None:
    failure = "FAILED tests/a.py::t[b] - assert not True\n1 failed, 2 passed in 1s"
    runner = lots.Runner(
        [
            part("good", "print('3 passed, 1 skipped in 2s')"),
            part("bad", f"print('why', {failure!r}, sep=chr(10)); raise SystemExit(1)"),
        ]
    )
    runner.run()
    assert {run.part.name: run.code for run in runner.ended} == {"good": 0, "bad": 1}
    lot, failed, reason = lots.summary(runner.ended)
    assert {"5 passed", "1 skipped", "1 failed"} == set(lot.removeprefix("lot: ").split(", "))
    assert failed == "FAILED: bad"
    assert reason == "  FAILED tests/a.py::t[b] - assert not True"
    said = capsys.readouterr().out
    assert "bad: FAILED (exit code 1): " in said and "\nwhy\n" in said


def test_what_runs_alone_comes_last_and_alone(at_once: None, tmp_path: Path) -> None:
    mark = f"""if True:
        import pathlib, time
        folder = pathlib.Path({str(tmp_path)!r})
        (folder / "runs").mkdir(exist_ok=True)
    """
    busy = mark + "    time.sleep(0.2); (folder / 'ended').touch()"
    alone = mark + "    assert (folder / 'ended').exists(); (folder / 'alone').touch()"
    runner = lots.Runner([part("alone", alone, alone=True), part("busy", busy)])
    runner.run()
    assert [(run.part.name, run.code) for run in runner.ended] == [("busy", 0), ("alone", 0)]


def test_a_part_waits_for_the_file_that_it_needs(at_once: None, tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    runner = lots.Runner(
        [
            part("kind", "print('here')", needs=str(ready)),
            part("other", f"open({str(ready)!r}, 'w').close()"),
        ]
    )
    runner.run()
    assert [run.part.name for run in runner.ended] == ["other", "kind"]


def test_every_test_is_in_a_lot_of_make_test() -> None:
    words = [word for some in lots.lots().values() for part in some for word in part.argv]
    for path in sorted(ROOT.glob("tests/*/")):
        if path.name not in ("cases", "__pycache__"):
            assert any(word.startswith(f"tests/{path.name}") for word in words), path
    for path in sorted(ROOT.glob("notebooks/[0-9]*.ipynb")):
        assert f"notebooks/{path.name}" in words


def test_the_makefile_asks_for_lots_that_there_are() -> None:
    text = (ROOT / "Makefile").read_text()
    (line,) = re.findall(r"^(test-.*): test-%: env", text, re.MULTILINE)
    asked = {name.removeprefix("test-") for name in line.split()}
    assert asked <= set(lots.lots())


def test_the_oldest_python_sees_the_same_packages() -> None:
    python = lots.oldest_python()
    script = "import sys, pytest, k8s_helpers; print(*sys.version_info[:2], k8s_helpers.__file__)"
    done = subprocess.run([python, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split()[:2] == [str(number) for number in sys.version_info[:2]]
    assert str(ROOT) in done.stdout


def ended(lot: str, text: str, code: int = 1) -> lots.Run:
    """Return a part that has ended so."""
    run = lots.Run(lots.Part(lot, f"{lot} 1/2", ("whole",)), None, None, 0.0)  # type: ignore[arg-type]
    run.code, run.text = code, text
    return run


def test_what_failed_beside_others_is_looked_at_alone() -> None:
    good = ended("cluster", "1 passed", 0)
    test = ended(
        "exercises", "FAILED tests/a.py::t[08-cinq pods] - assert not True\n +  where True = x"
    )
    notebook = ended("notebooks", "FAILED notebooks/17_projet.ipynb::Cell 1 - failed\n")
    prefix = ended("prefix", "FAILED notebooks/01.ipynb::Cell 2 - x")
    looked = lots.second_look([good, test, notebook, prefix])
    assert [part.name for part in looked] == [
        "exercises 1/2, alone",
        "notebooks 1/2, alone",
        "prefix 1/2, alone",
    ]
    assert all(part.alone for part in looked)
    assert looked[0].argv[-1] == "tests/a.py::t[08-cinq pods]"
    assert looked[1].argv[-1] == "notebooks/17_projet.ipynb"
    assert looked[2].argv == ("whole",)


@pytest.mark.parametrize(
    ("lot", "text"),
    [
        ("unit", "FAILED tests/unit/a.py::t - x"),
        ("lint", "error"),
        ("cluster", "FAILED tests/a.py::t - x\nLEFT BEHIND: process 1"),
        ("cluster", "\n".join(f"FAILED tests/a.py::t{number} - x" for number in range(6))),
        ("cluster", "killed"),
        ("cluster", "9 passed\nResourceWarning: unclosed <ssl.SSLSocket fd=18>"),
    ],
    ids=["pure", "lint", "left-behind", "many", "no-test", "open-at-end"],
)
def test_what_no_neighbour_explains_is_not_looked_at_again(lot: str, text: str) -> None:
    other = ended("exercises", "FAILED tests/b.py::t - x")
    assert lots.second_look([other]) != []
    assert lots.second_look([other, ended(lot, text)]) == []
