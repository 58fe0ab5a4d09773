"""A growing load on one pod: what counts as kept up with, and what is drawn and told of it."""

from __future__ import annotations

import math

import pytest

from k8s_helpers import charts, experiments, quoted
from k8s_helpers._errors import UsageError
from k8s_helpers.charts.quoted import pace, support
from k8s_helpers.recording import Recording, Request, Run
from k8s_helpers.timeline import capacity_steps, summary_json, sustained_per_s


def _run(rate: float, waits_s: list[float | None]) -> Run:
    """Return a step whose requests waited that long; None for one that was lost."""
    requests = tuple(
        Request(index / rate, index / rate, index / rate + (wait_s or 2.0), 200)
        if wait_s is not None
        else Request(index / rate, index / rate, index / rate + 2.0, None, error="timeout")
        for index, wait_s in enumerate(waits_s)
    )
    parameters = {"rate_per_s": rate, "step_s": 1.0, "replicas": 1}
    return Run(f"{rate:g}", "2026-01-01T00:00:00+00:00", 3.0, parameters, requests=requests)


def _recording(*runs: Run) -> Recording:
    return Recording("capacity", "embedded", "v1.37.0", runs)


def test_a_step_is_kept_up_with_where_nearly_all_is_answered_soon() -> None:
    steps = capacity_steps(
        _recording(
            _run(100, [0.01] * 100),
            _run(200, [0.01] * 190 + [0.7] * 10),  # 5 in 100 may be slow
            _run(300, [0.01] * 279 + [0.7] * 21),  # 7 in 100 may not
            _run(400, [0.01] * 390 + [None] * 10),  # more than 1 in 100 lost
        )
    )
    assert [one.kept_up for one in steps] == [True, True, False, False]
    assert steps[3].answered_per_s == pytest.approx(390)


def test_what_is_sustained_is_the_highest_step_kept_up_with() -> None:
    recording = _recording(_run(50, [0.01] * 50), _run(100, [0.9] * 100))
    assert sustained_per_s(recording) == 50
    assert sustained_per_s(_recording(_run(50, [None] * 50))) == 0
    assert summary_json(recording)["sustained_per_s"] == 50


def test_a_step_without_answers_is_told_without_a_time() -> None:
    recording = _recording(_run(50, [None] * 50))
    (step,) = capacity_steps(recording)
    assert math.isinf(step.p95_s) and not step.kept_up
    assert summary_json(recording)["steps"][0]["p95_s"] is None
    assert "aucune réponse" in charts.capacity(recording).alternative


def test_the_chart_tells_its_verdict_and_has_two_bars_a_step() -> None:
    chart = charts.capacity(_recording(_run(50, [0.01] * 50), _run(100, [0.9] * 100)))
    rates, waits = chart.axes
    assert [bar.get_height() for bar in rates.patches] == [50, 100, 50, 100]
    assert waits.get_yscale() == "log"
    assert "Un pod tient 50 requêtes par seconde sur cette machine" in chart.alternative


@pytest.mark.parametrize("rates", [[], [100, 50], [50, 50], [0], [5000]])
def test_rates_that_do_not_grow_are_refused(rates: list[float]) -> None:
    with pytest.raises(UsageError, match="débits croissants"):
        experiments.capacity(rates)


def test_published_figures_are_drawn_with_source_and_date() -> None:
    for draw, name in (
        (charts.survey, "enquete_cncf"),
        (charts.releases, "versions_kubernetes"),
        (charts.delays, "as_a_service"),
        (charts.levels, "projets_cncf"),
        (charts.landscape, "paysage"),
    ):
        chart = draw(quoted(name))
        written = " ".join(text.get_text() for text in chart.texts)
        assert quoted(name).credit in written
        assert quoted(name).credit in chart.alternative.replace("\u00a0", " ")


def test_releases_come_every_four_months_and_live_fourteen() -> None:
    versions = quoted("versions_kubernetes")
    assert pace(versions) == pytest.approx(4, abs=0.5)
    assert support(versions) == pytest.approx(14.5, abs=1)


def test_a_project_s_levels_follow_one_another() -> None:
    chart = charts.levels(quoted("projets_cncf"))
    (ax,) = chart.axes
    rows: dict[int, list[tuple[float, float]]] = {}
    for bar in ax.patches:
        row = round(bar.get_y() + bar.get_height() / 2)
        rows.setdefault(row, []).append((bar.get_x(), bar.get_x() + bar.get_width()))
    assert len(rows) == len(quoted("projets_cncf")["projets"])
    for stretches in rows.values():
        assert all(begin < end for begin, end in stretches)
        assert stretches == sorted(stretches)
    assert "k3s\u00a0: bac à sable en 2020" in chart.alternative


def test_the_map_has_every_tool_once() -> None:
    chart = charts.landscape(quoted("paysage"))
    written = [text.get_text() for text in chart.axes[0].texts]
    tools = [one["nom"] for need in quoted("paysage")["besoins"] for one in need["outils"]]
    assert len(set(tools)) == len(tools) and set(tools) <= set(written)
