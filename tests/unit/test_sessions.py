"""The teacher's sessions: their times are those that the notebooks announce, and nothing of the course is left out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "enseigner.md").read_text("utf-8")
ANNOUNCED = {
    name: int(minutes)
    for name, minutes in re.findall(r"^\| `(\w+)` \| (\d+)\smin \|", GUIDE, re.MULTILINE)
}
NOTEBOOKS = {path.stem for path in (ROOT / "notebooks").glob("[0-9]*.ipynb")}
MARGIN_MIN = 10
"""To begin and to end a session."""


def _sessions(heading: str) -> list[tuple[int, list[str], int, list[str]]]:
    """Return of each row how many sessions it takes, what is to be done, in how many minutes, and what is optional."""
    section = GUIDE.split(f"### En séances de {heading}\n")[1].split("\n#")[0]
    rows = re.findall(r"^\| ([\d, ]+) \| (.*?) \| (\d+) \|(.*)\|$", section, re.MULTILINE)
    return [
        (
            numbers.count(",") + 1,
            re.findall(r"`(\w+)`", done),
            int(minutes),
            re.findall(r"`(\w+)`", more),
        )
        for numbers, done, minutes, more in rows
    ]


@pytest.mark.parametrize(("heading", "length_min"), [("1 h 30", 90), ("2 h", 120)])
def test_what_is_to_be_done_fits_into_its_session(heading: str, length_min: int) -> None:
    sessions = _sessions(heading)
    assert len(sessions) >= 8
    for number, done, minutes, _ in sessions:
        if not NOTEBOOKS.issuperset(done):
            continue
        assert minutes == sum(ANNOUNCED[name] for name in done), done
        assert minutes <= number * (length_min - MARGIN_MIN), done


@pytest.mark.parametrize("heading", ["1 h 30", "2 h"])
def test_every_notebook_is_in_a_session_once(heading: str) -> None:
    names = [name for _, done, _, more in _sessions(heading) for name in (*done, *more)]
    assert len(names) == len(set(names))
    assert set(names) >= NOTEBOOKS


@pytest.mark.parametrize("name", sorted(NOTEBOOKS))
def test_every_notebook_has_notes_for_the_teacher(name: str) -> None:
    notes = GUIDE.split("## Notebook par notebook\n")[1].split("\n## ")[0]
    heads = re.findall(r"^### (.*)$", notes, re.MULTILINE)
    assert [head for head in heads if name[:2] in head], name


def test_the_rubric_is_the_check_s() -> None:
    rubric = (ROOT / "docs" / "projet.md").read_text("utf-8")
    check = (ROOT / "exercises" / "17-projet" / "check.py").read_text("utf-8")
    asked = re.findall(r'Criterion\(\s*"[\w-]+",\s*"([^"]+)",\s*(\d+)', check)
    told = re.findall(r"^\| ([^|*]+?) \| (\d+) \| [^|]+ \|$", rubric, re.MULTILINE)
    assert sorted(asked) == sorted(told)
    assert sum(int(points) for _, points in asked) == 20
    notebook = (ROOT / "notebooks" / "17_projet.ipynb").read_text("utf-8")
    assert all(f"| {title} | {points} |" in notebook for title, points in asked)


def test_the_rubric_counts_what_incomplete_projects_lose() -> None:
    import yaml

    rubric = (ROOT / "docs" / "projet.md").read_text("utf-8")
    check = (ROOT / "exercises" / "17-projet" / "check.py").read_text("utf-8")
    worth = dict(re.findall(r'Criterion\(\s*"([\w-]+)",\s*"[^"]+",\s*(\d+)', check))
    plain = yaml.safe_load(
        (ROOT / "exercises" / "17-projet" / "exercise.yaml").read_text("utf-8").replace("@", "")
    )
    rows = dict(re.findall(r"^\| `([\w-]+)` \| [^|]+ \| (\d+) \|$", rubric, re.MULTILINE))
    assert rows == {
        name: str(20 - sum(int(worth[code]) for code in codes))
        for name, codes in plain["unmet"].items()
    }
