"""A chart follows a measure: drawn from what there is so far, in a notebook alone, never at the measure's cost."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from k8s_helpers import _progress, labs
from k8s_helpers.labs import live
from k8s_helpers.labs.lab import Lab
from k8s_helpers.measure.recording import Recording, Run

FOLLOWED = (
    "added_node",
    "autoscaling",
    "balancing",
    "broken_probes",
    "canary",
    "component_stop",
    "configuration",
    "memory",
    "probe_kinds",
    "probes",
    "relabel",
    "resize",
    "rollback",
    "self_healing",
    "slow_update",
    "update",
)
"""Labs that a live chart follows."""
_DATED = ("pods", "endpoints", "samples", "marks", "probes", "events", "attempts")


def until(recording: Recording, share: float) -> Recording:
    """Return what there was of a recording when a share of each run had gone by."""

    def cut(run: Run) -> Run:
        end_s = share * run.ended_s
        seen = {
            name: tuple(fact for fact in getattr(run, name) if fact.at_s <= end_s)
            for name in _DATED
        }
        requests = tuple(request for request in run.requests if request.answered_s <= end_s)
        return replace(run, ended_s=end_s, requests=requests, **seen)

    return replace(recording, runs=tuple(cut(run) for run in recording.runs))


@pytest.mark.parametrize("name", FOLLOWED)
def test_a_measure_is_drawn_at_any_moment(name: str) -> None:
    whole = labs.kept(name, "embedded")
    for share in (0.02, 0.3, 0.7):
        assert labs.draw(until(whole, share)).alternative
    first = replace(whole, runs=whole.runs[:1])
    assert labs.draw(until(first, 0.5)).alternative


class Broken(Lab):
    """A lab whose figure cannot be drawn yet; counts how often it was asked for."""

    asked = 0

    def draw(self, recording: Recording, **options: Any) -> Any:
        """Fail as a chart does that lacks a sample."""
        type(self).asked += 1
        raise KeyError("not known yet")


def broken() -> Broken:
    Broken.asked = 0
    return Broken("update", "")


def so_far() -> Recording:
    return labs.kept("update", "embedded")


@pytest.mark.parametrize(("allowed", "notebook"), [("1", False), ("0", True)])
def test_nothing_is_drawn_outside_a_notebook_or_where_outputs_may_not_change(
    monkeypatch: pytest.MonkeyPatch, allowed: str, notebook: bool
) -> None:
    monkeypatch.delenv(_progress.REHEARSAL, raising=False)
    monkeypatch.setenv("K8S_HELPERS_LIVE", allowed)
    monkeypatch.setattr("k8s_helpers._progress.in_notebook", lambda: notebook)
    with live.listener(broken()) as listening:
        assert listening is None


def test_nothing_is_drawn_where_a_lab_wants_none() -> None:
    with live.listener(None) as listening:
        assert listening is None


def test_a_chart_that_fails_costs_a_student_nothing_and_is_not_asked_for_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv(_progress.REHEARSAL, raising=False)
    monkeypatch.setenv("K8S_HELPERS_LIVE", "1")
    monkeypatch.setattr("k8s_helpers._progress.in_notebook", lambda: True)
    monkeypatch.setattr(live, "MIN_PERIOD_S", 0.0)
    monkeypatch.setattr(live, "REST", 0)
    lab = broken()
    with live.listener(lab) as listening:
        assert listening is not None
        listening(so_far)
        listening(so_far)
    assert lab.asked == 1


def test_a_chart_that_fails_fails_a_test() -> None:
    with pytest.raises(KeyError):
        live.LiveChart(broken(), rehearsal=True)(so_far)


def test_a_young_figure_is_not_drawn_again() -> None:
    asked: list[Recording] = []

    def recording() -> Recording:
        asked.append(so_far())
        return asked[-1]

    chart = live.LiveChart(labs.get("update"), rehearsal=True)
    chart(recording)
    chart(recording)
    assert len(asked) == 1
