"""Frames of live charts: the same picture as the whole figure, for a fraction of its cost."""

from __future__ import annotations

import base64
import io
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import synthetic
from PIL import Image

from k8s_helpers import charts
from k8s_helpers.charts import figure
from k8s_helpers.charts.live_figure import LiveChart
from k8s_helpers.recording import PodEvent, Recording, Request, Run

FOLDER = Path(__file__).parents[2] / "recordings"
FOLLOWED = (
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
"""Experiments that a live chart follows."""
_DATED = ("pods", "endpoints", "samples", "marks", "probes", "events", "attempts")


def until(recording: Recording, share: float) -> Recording:
    """Return what there was of a recording when a share of each run had gone by."""

    def cut(run: Run) -> Run:
        end_s = share * run.ended_s
        seen = {name: tuple(o for o in getattr(run, name) if o.at_s <= end_s) for name in _DATED}
        requests = tuple(one for one in run.requests if one.answered_s <= end_s)
        return replace(run, ended_s=end_s, requests=requests, **seen)

    return replace(recording, runs=tuple(cut(run) for run in recording.runs))


def drawn(recording: Recording) -> Callable[[], charts.DescribedFigure]:
    return lambda: charts.draw(recording)


def pixels(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)


def differing(one: bytes, other: bytes) -> float:
    """Return the share of squares of 5 by 5 pixels that are plainly not the same: letters may be half a pixel off."""
    gaps = pixels(one) - pixels(other)
    squares = gaps.reshape(gaps.shape[0] // 5, 5, gaps.shape[1] // 5, 5, 3).mean(axis=(1, 3))
    return float((abs(squares).max(axis=2) > 60).mean())


@pytest.mark.parametrize("experiment", FOLLOWED)
def test_what_is_kept_from_the_frames_before_leaves_no_trace(experiment: str) -> None:
    whole = Recording.load(FOLDER / f"{experiment}-embedded.json")
    chart = LiveChart()
    early = chart.frame(drawn(until(whole, 0.45)))
    last = chart.frame(drawn(whole))
    assert last == LiveChart().frame(drawn(whole))
    assert last != early
    assert last.alternative == charts.draw(whole).alternative


@pytest.mark.parametrize(("experiment", "origin"), [("update", None), ("probes", "apply")])
def test_a_frame_is_the_picture_that_the_whole_figure_gives(
    experiment: str, origin: str | None
) -> None:
    def ended(run: Run) -> Run:
        """Have a run end where the axis of a frame does: on a whole step from its origin."""
        mark = run.mark(origin) if origin else None
        return replace(run, ended_s=60.0 + (mark.at_s if mark else 0.0))

    whole = Recording.load(FOLDER / f"{experiment}-embedded.json")
    whole = replace(whole, runs=tuple(ended(run) for run in whole.runs))
    chart = LiveChart()
    early = chart.frame(drawn(until(whole, 0.3)))
    last = chart.frame(drawn(whole))
    asked = charts.draw(whole).to_png()
    assert differing(last.png, asked) < 0.002
    assert differing(early.png, asked) > 0.03


def _one_run(requests: tuple[Request, ...], pods: tuple[PodEvent, ...], end_s: float) -> Recording:
    run = replace(synthetic.rolling(), requests=requests, pods=pods, marks=(), ended_s=end_s)
    return Recording("update", "embedded", "v1", (run,))


def test_frames_of_nothing_of_one_request_and_of_a_run_that_starts_over() -> None:
    full = Recording("update", "embedded", "v1", (synthetic.rolling(),))
    stages = [
        _one_run((), (), 0.05),
        _one_run((synthetic.request(0.1),), full.runs[0].pods[:1], 0.2),
        full,
        _one_run((), (), 0.05),
    ]
    chart = LiveChart()
    frames = [chart.frame(drawn(one)) for one in stages]
    assert frames[0] == frames[3]
    assert len({frame.png for frame in frames[:3]}) == 3
    assert frames[1] == LiveChart().frame(drawn(stages[1]))


def test_a_run_more_has_a_column_more() -> None:
    whole = synthetic.recording()
    chart = LiveChart()
    for count in (1, 2, 3, 1):
        some = replace(whole, runs=whole.runs[:count])
        assert chart.frame(drawn(some)) == LiveChart().frame(drawn(some))


def test_axes_that_change_their_part_are_made_anew() -> None:
    names = iter(["un", "deux", "deux"])

    def draw(count: int) -> charts.DescribedFigure:
        made = figure.new(4, 3)
        name = next(names)
        for place in range(count):
            made.add_subplot(made.add_gridspec(1, count)[0, place]).set_ylabel(name)
        return made

    chart = LiveChart()
    assert pixels(chart.frame(lambda: draw(1)).png).shape == (300, 400, 3)
    chart.frame(lambda: draw(2))
    assert next(names, None) is None


def test_a_live_time_axis_has_room_ahead_and_a_final_one_has_none() -> None:
    assert figure.until(47.3) == 47.3
    with figure.live(lambda width, height: figure.DescribedFigure()):
        ends = [figure.until(end_s) for end_s in (0.05, 5, 29.9, 30.1, 60, 61, 500, 90_000)]
    assert ends == [5, 5, 30, 40, 60, 80, 600, 90_000]
    assert figure.until(0.05) == 0.05


def test_a_frame_carries_its_alternative() -> None:
    frame = LiveChart().frame(drawn(synthetic.recording()))
    shown = frame._repr_mimebundle_()
    assert base64.b64encode(frame.png).decode() in shown["text/html"]
    assert 'alt="' in shown["text/html"]
    assert (
        shown["text/plain"] == frame.alternative == charts.draw(synthetic.recording()).alternative
    )


def _cpu_s(work: Callable[[], object]) -> float:
    """Return the least that a thing took this thread, of a few times: others use the machine too."""
    taken = []
    for _ in range(5):
        began_s = time.thread_time()
        work()
        taken.append(time.thread_time() - began_s)
    return min(taken)


def test_a_frame_costs_little_and_hardly_more_late_than_early() -> None:
    requests = synthetic.requests(lambda at_s: "v1" if at_s < 30 else "v2", 60.0)
    run = replace(synthetic.rolling(), requests=requests, ended_s=60.0)
    whole = Recording("update", "embedded", "v1", (run,))
    chart, early = LiveChart(), until(whole, 1 / 6)
    chart.frame(drawn(early))
    early_s = _cpu_s(lambda: chart.frame(drawn(early)))
    chart.frame(drawn(whole))
    late_s = _cpu_s(lambda: chart.frame(drawn(whole)))
    figure_s = _cpu_s(lambda: charts.draw(whole).to_png())
    assert late_s < 3 * early_s
    assert late_s < 0.6 * figure_s
