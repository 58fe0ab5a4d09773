"""What the exercise « 09-zero-perte » says of an update that lost requests."""

from __future__ import annotations

from dataclasses import replace

import pytest

from k8s_helpers import exercises
from k8s_helpers.exercises.judging import control
from k8s_helpers.measure.recording import PodEvent, PodEventKind, Request, Run

WHEN = "2026-01-01T10:00:00+00:00"
LIFE: tuple[PodEventKind, ...] = ("created", "scheduled", "started", "ready")
JUDGE = control(exercises.load("09-zero-perte")).judge


def run(page_s: float, lost: int) -> Run:
    """Return a run of three pods in which pages took so long, and so many requests were lost."""
    good = [Request(at, at, at + page_s, 200) for at in range(100)]
    late = [Request(at, at, at + 2.0, error="timeout") for at in range(lost)]
    pods = [
        PodEvent(-5.0 + place, name, name, kind, "api")
        for name in ("a", "b", "c")
        for place, kind in enumerate(LIFE)
    ]
    return Run("update", WHEN, 100.0, requests=(*good, *late), pods=tuple(pods))


@pytest.mark.parametrize(
    ("page_s", "lost", "code"),
    [(0.16, 0, None), (3.0, 0, None), (0.16, 2, "arret"), (0.59, 2, "arret"), (0.7, 2, "charge")],
)
def test_losses_of_a_crowded_cluster_are_not_the_manifests(
    page_s: float, lost: int, code: str | None
) -> None:
    assert JUDGE(run(page_s, lost)).code == code


def test_where_no_pod_was_ready_that_is_why() -> None:
    assert JUDGE(replace(run(0.7, 2), pods=())).code == "interruption"


def test_without_a_good_answer_there_is_nothing_to_call_slow() -> None:
    lost = run(0.7, 2).requests[-2:]
    assert JUDGE(replace(run(0.7, 2), requests=lost)).code == "arret"
