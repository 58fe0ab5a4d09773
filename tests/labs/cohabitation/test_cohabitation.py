"""One pod or two: what is counted from notes whose every place is known beforehand, and how it is drawn."""

from __future__ import annotations

from pathlib import Path

import pytest
from noted import run

from k8s_helpers import labs
from k8s_helpers.labs.cohabitation import summarize as cohabitation_summary
from k8s_helpers.labs.cohabitation.codes import Shown, Written
from k8s_helpers.measure.recording import Recording, Run


def solution(name: str, databases: list[str], kept: list[int]) -> Run:
    """Return a run in which three notes were written, one to each of the databases in turn, and read from each."""
    taken: dict[str, list[int]] = {database: [] for database in databases}
    marks: list[tuple[float, str, object]] = [(1.0, "scale", "3"), (3.0, "scaled", "")]
    for note in (1, 2, 3):
        database = databases[(note - 1) % len(databases)]
        taken[database].append(note)
        marks.append((4.0, "write", Written(note, "s", database)))
    marks += [(5.0, "read", Shown("s", database, notes)) for database, notes in taken.items()]
    marks.append((9.0, "kept", Shown("s", databases[0], kept)))
    return run(name, *marks, replicas=3)


def test_a_database_in_each_pod_splits_the_notes() -> None:
    apart = cohabitation_summary(solution("A", ["x", "y", "z"], [1]))
    assert (len(apart.databases), apart.answers, apart.lost) == (3, 3, 2)
    assert apart.seen_share == pytest.approx(1 / 3)
    assert apart.scale_s == 2.0
    together = cohabitation_summary(solution("B", ["x"], [1, 2, 3]))
    assert (together.seen_share, together.answers, together.lost) == (1.0, 1, 0)


def test_the_chart_of_both_solutions_says_who_loses_what() -> None:
    runs = solution("A", ["x", "y", "z"], [1]), solution("B", ["x"], [1, 2, 3])
    figure = labs.cohabitation.draw(Recording("cohabitation", "embedded", "v1.37.0", runs))
    rows = [len(ax.get_yticks()) for ax in figure.axes]
    assert rows == [3, 1]
    assert "33" in figure.alternative and "aucune note perdue" in figure.alternative
    assert "2\xa0notes perdues sur 3" in figure.alternative


def test_a_recording_of_format_1_tells_the_same() -> None:
    old = Recording.load(Path(__file__).with_name("format_1.json"))
    kept = labs.kept("cohabitation", "embedded")
    assert labs.summarize(old) == labs.summarize(kept)
    assert labs.draw(old).alternative == labs.draw(kept).alternative
