"""An update of the slow program, on runs whose every number is known; and its forecast."""

from __future__ import annotations

import pytest
import synthetic
from synthetic import Pod

from k8s_helpers import labs
from k8s_helpers.forecasts.span import Span
from k8s_helpers.kube import manifests
from k8s_helpers.labs.lab import MANIFESTS
from k8s_helpers.labs.slow_update import summarize as slow_update_summary
from k8s_helpers.labs.slow_update.experiment import FILES
from k8s_helpers.labs.slow_update.forecast import SlowUpdate, forecast
from k8s_helpers.labs.slow_update.lab import LAB
from k8s_helpers.labs.slow_update.summary import to_story as slow_update_story
from k8s_helpers.measure.recording import Recording, Run


def foreseen(variant: str, start: Span) -> SlowUpdate:
    deployment = manifests.read(MANIFESTS / LAB.folder / FILES[variant])[0].object
    return forecast(deployment, start)


def run(variant: str, *, lost_until_s: float, done_s: float) -> Run:
    """Return a run whose requests are lost from 5 s on, and whose update begins at 4 s."""
    pods = [Pod("a", "v1", -9.0, -6.0, done_s, done_s + 1)]
    pods += [Pod("b", "v2", 4.1, done_s)]
    return synthetic.run(
        variant,
        lambda at_s: "!status" if 5 <= at_s < lost_until_s else "v1",
        pods,
        ((4.0, "apply"), (done_s, "complete")),
        predicted_duration_s=foreseen(variant, Span(6.0, 8.0)).duration.to_plain(),
        predicted_errors_s=foreseen(variant, Span(6.0, 8.0)).errors.to_plain(),
    )


def test_without_a_probe_the_start_is_for_clients_and_with_one_for_the_update() -> None:
    without, readiness = (foreseen(name, Span(60.0, 64.0)) for name in FILES)
    assert without.duration.hi_s < 10 and without.errors.lo_s >= 58 and without.errors.hi_s < 75
    assert readiness.errors == Span(0.0, 0.0)
    assert readiness.duration.lo_s == 120 and readiness.duration.hi_s < 145  # two waves


def test_errors_last_from_the_first_lost_request_to_the_last() -> None:
    found = slow_update_summary(run("no-probe", lost_until_s=12.0, done_s=6.0))
    assert found.errors_s == pytest.approx(7.0, abs=0.05)
    assert found.after_s == pytest.approx(6.0, abs=0.05)
    assert found.update.duration_s == 2.0 and found.as_predicted


def test_what_was_not_foreseen_is_said() -> None:
    assert not slow_update_summary(run("no-probe", lost_until_s=7.0, done_s=6.0)).as_predicted
    assert not slow_update_summary(run("readiness", lost_until_s=6.0, done_s=17.0)).as_predicted
    assert not slow_update_summary(run("readiness", lost_until_s=0.0, done_s=6.0)).as_predicted
    assert slow_update_summary(run("readiness", lost_until_s=0.0, done_s=17.0)).as_predicted


def test_the_story_and_the_figure_tell_them_apart() -> None:
    runs = (
        run("no-probe", lost_until_s=12.0, done_s=6.0),
        run("readiness", lost_until_s=0.0, done_s=17.0),
    )
    recording = Recording("slow_update", "embedded", "v1.37.0", runs)
    verdicts = slow_update_story(recording).verdicts
    assert verdicts["no-probe.done-before-errors-end"]
    assert not verdicts["readiness.loses-requests"]
    words = labs.slow_update.draw(recording, predictions={"no-probe": 3}).alternative
    assert "des erreurs pendant 7,0\u00a0s" in words and "aucune erreur" in words
    assert "vous aviez prévu\u00a03 s" in words
