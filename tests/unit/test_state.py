"""Where state lives: what is counted from marks whose every fact is known beforehand, and how it is drawn."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from k8s_helpers import charts
from k8s_helpers.recording import Mark, Recording, Run
from k8s_helpers.timeline.cohabitation import cohabitation_summary
from k8s_helpers.timeline.storage import storage_summary
from k8s_helpers.timeline.volumes import READ_ONLY_ENFORCED, volumes_summary


def run(name: str, *marks: tuple[float, str, dict[str, Any] | str], **parameters: Any) -> Run:
    """Return a run that told these marks."""
    return Run(
        name=name,
        started_at="2026-01-01T10:00:00+00:00",
        ended_s=20.0,
        parameters=parameters,
        marks=tuple(
            Mark(at_s, kind, told if isinstance(told, str) else json.dumps(told))
            for at_s, kind, told in marks
        ),
    )


def solution(name: str, databases: list[str], kept: list[int]) -> Run:
    """Return a run in which three notes were written, one to each of the databases in turn, and read from each."""
    taken: dict[str, list[int]] = {one: [] for one in databases}
    marks: list[tuple[float, str, dict[str, Any] | str]] = [
        (1.0, "scale", "3"),
        (3.0, "scaled", ""),
    ]
    for note in (1, 2, 3):
        database = databases[(note - 1) % len(databases)]
        taken[database].append(note)
        marks.append((4.0, "write", {"note": note, "site": "s", "database": database}))
    marks += [
        (5.0, "read", {"site": "s", "database": one, "notes": notes})
        for one, notes in taken.items()
    ]
    marks.append((9.0, "kept", {"site": "s", "database": databases[0], "notes": kept}))
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
    figure = charts.cohabitation(Recording("cohabitation", "embedded", "v1.37.0", runs))
    rows = [len(ax.get_yticks()) for ax in figure.axes]
    assert rows == [3, 1]
    assert "33" in figure.alternative and "aucune note perdue" in figure.alternative
    assert "2\xa0notes perdues sur 3" in figure.alternative


def observation(moment: str, kept: str, uid: str = "u1") -> dict[str, Any]:
    places = ("root", "emptyDir", "hostPath", "claim")
    return {
        "moment": moment,
        "kept": {place: place in kept.split() for place in places},
        "uid": uid,
        "restarts": 0,
    }


def test_the_board_shows_what_survives_and_what_is_refused() -> None:
    survives = run(
        "survie",
        (1.0, "observation", observation("written", "root emptyDir hostPath claim")),
        (2.0, "crash", ""),
        (3.5, "restarted", ""),
        (4.0, "observation", observation("container", "emptyDir hostPath claim")),
        (6.0, "observation", observation("pod", "hostPath claim", "u2")),
    )
    refused = run(
        "lecture-seule",
        (1.0, "write", {"place": "root", "written": False, "said": "Read-only file system"}),
        (1.1, "write", {"place": "emptyDir", "written": True, "said": ""}),
    )
    recording = Recording("volumes", "embedded", "v1.37.0", (survives, refused))
    found = volumes_summary(recording)
    assert found.survives["container"] == {
        "root": False,
        "emptyDir": True,
        "hostPath": True,
        "claim": True,
    }
    assert (found.same_pod, found.refused) == ({"container": True, "pod": False}, ("root",))
    assert found.restart_s == 1.5
    (ax,) = charts.volumes(recording).axes
    words = [text.get_text() for text in ax.texts]
    assert sum("perdu" in one for one in words) == 3 and sum("refusé" in one for one in words) == 1
    assert "pas essayée" not in charts.volumes(recording).alternative


def test_a_board_without_its_last_column_says_why() -> None:
    survives = run("survie", (1.0, "observation", observation("written", "root")))
    survives = replace(survives, parameters={READ_ONLY_ENFORCED: False})
    chart = charts.volumes(Recording("volumes", "embedded", "v1.37.0", (survives,)))
    (note,) = [text.get_text() for text in chart.texts]
    assert "pas essayée ici" in note and "espaces de noms" in note
    assert note in chart.alternative


def phase(kind: str, uid: str, value: str) -> dict[str, Any]:
    return {"kind": kind, "name": uid, "uid": uid, "phase": value}


def test_a_claim_that_waits_for_a_pod_is_told_apart() -> None:
    claim, volume = "PersistentVolumeClaim", "PersistentVolume"
    waits = run(
        "delete",
        (0.5, "phase", phase(claim, "c", "Pending")),
        (3.0, "consumer", ""),
        (3.4, "phase", phase(volume, "v", "Bound")),
        (3.5, "phase", phase(claim, "c", "Bound")),
        (5.0, "read", {"written": False, "found": True}),
        (8.0, "phase", phase(claim, "c", "Deleted")),
    )
    found = storage_summary(waits)
    assert found.claims == (("Pending", "Bound"),) and found.volumes == (("Bound",),)
    assert found.waits_for_pod and found.survives_pod
    assert found.bind_s == pytest.approx(0.5)
    figure = charts.storage(Recording("storage", "embedded", "v1.37.0", (waits,)))
    assert "Pending puis Bound" in figure.alternative
