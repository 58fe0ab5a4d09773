"""What a broken probe changes, on runs made by hand."""

from __future__ import annotations

import pytest

from k8s_helpers import labs
from k8s_helpers.forecasts.span import Span
from k8s_helpers.labs.broken_probes import summarize as break_summary
from k8s_helpers.labs.broken_probes.summary import to_json as broken_probes_json
from k8s_helpers.labs.broken_probes.summary import to_story as broken_probes_story
from k8s_helpers.measure.recording import (
    ClusterEvent,
    EndpointsEvent,
    Mark,
    PodEvent,
    Recording,
    Run,
)


def run(name: str, decided_s: float | None = 7.0, restarts: int = 0) -> Run:
    """Return a run whose pod "a" breaks at 4 s, leaves at 7.1 s and is back at 12 s."""
    kinds = [("created", 0.0), ("started", 0.1), ("ready", 1.0)]
    if name == "readiness" and decided_s is not None:
        kinds += [("unready", decided_s), ("ready", 12.0)]
    kinds += [("restarted", 9.0)] * restarts
    killing = ClusterEvent(
        decided_s or 0.0, "Pod", "a", "Killing", "Container x failed liveness probe"
    )
    return Run(
        name,
        "2026-01-01T10:00:00+00:00",
        15.0,
        {"predicted_s": [2.0, 5.0], "rate_per_s": 20},
        pods=tuple(PodEvent(at_s, "a", "u", kind, "receipt", "v1") for kind, at_s in kinds),  # type: ignore[arg-type]
        endpoints=(
            EndpointsEvent(1.0, "vitrine", ("a", "b")),
            EndpointsEvent(7.1, "vitrine", ("b",)),
            EndpointsEvent(12.0, "vitrine", ("a", "b")),
        ),
        marks=(Mark(4.0, "break", "a"),),
        events=(killing,) if name == "liveness" and decided_s is not None else (),
    )


@pytest.mark.parametrize("name", ["readiness", "liveness"])
def test_instants_count_from_the_break(name: str) -> None:
    found = break_summary(run(name))
    assert found.decided_s == pytest.approx(3.0)
    assert found.left_s == pytest.approx(3.1)
    assert found.back_s == pytest.approx(8.0)
    assert found.predicted == Span(2.0, 5.0) and found.as_predicted


def test_what_comes_late_or_never_is_not_as_predicted() -> None:
    assert not break_summary(run("readiness", 11.5)).as_predicted
    late = break_summary(run("liveness", None))
    assert late.decided_s is None and not late.as_predicted


def test_story_summary_and_figure_tell_both() -> None:
    recording = Recording(
        "broken_probes", "embedded", "v1.37.0", (run("readiness"), run("liveness", restarts=1))
    )
    told = broken_probes_json(recording)["probes"]
    assert [told[name]["restarts"] for name in ("readiness", "liveness")] == [0, 1]
    verdicts = broken_probes_story(recording).verdicts
    assert verdicts["liveness.restarts"] == 1 and verdicts["readiness.as-predicted"]
    words = labs.broken_probes.draw(recording).alternative
    assert "le pod quitte le Service, 0\u00a0relance" in words
    assert "après 3,0\u00a0s (prévu entre 2 et 5\u00a0s)" in words
