"""Work under a processor limit: what is predicted, what a recording tells."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from k8s_helpers import labs
from k8s_helpers._errors import UsageError
from k8s_helpers.forecasts.throttling import duration
from k8s_helpers.measure.recording import PodEvent, Recording, Request, Run


@pytest.mark.parametrize(
    ("cpu_s", "limit", "low_s", "high_s"),
    [
        (0.06, None, 0.06, 0.06),
        (0.06, 2.0, 0.06, 0.06),
        (0.06, 0.5, 0.06, 0.11),
        (0.06, 0.1, 0.42, 0.51),
        (0.005, 0.1, 0.005, 0.095),
    ],
)
def test_a_limit_spreads_work_over_periods_of_100_ms(
    cpu_s: float, limit: float | None, low_s: float, high_s: float
) -> None:
    assert duration(cpu_s, limit) == pytest.approx((low_s, high_s))


def run(name: str, cores: float | None, *times_s: float) -> Run:
    requests = tuple(
        Request(float(at), float(at), at + time_s, 200) for at, time_s in enumerate(times_s)
    )
    found = {"cpu_ms": 60.0, "limit_cores": cores, "limit": name}
    return Run(name, "2026-01-01T10:00:00+00:00", 20.0, found, requests=requests)


def recording() -> Recording:
    return Recording(
        "throttling",
        "embedded",
        "v1.37.0",
        (run("no-limit", None, 0.06, 0.07, 0.065), run("100m", 0.1, 0.5, 0.52, 0.45, 0.9)),
    )


def test_who_is_slowed_and_that_nobody_dies() -> None:
    story = labs.get("throttling").to_story(recording())
    assert story.verdicts["no-limit.slowed"] is False and story.verdicts["100m.slowed"] is True
    assert story.verdicts["100m.restarts"] == 0
    plain = labs.summarize(recording())["limits"]["100m"]
    assert plain["p50_s"] == pytest.approx(0.5) and plain["p95_s"] == pytest.approx(0.9)
    text = labs.draw(recording()).alternative
    assert "médiane 500\u00a0ms" in text and "prévu 420 à 510\u00a0ms" in text


def test_the_verdict_is_that_of_the_recording() -> None:
    free = run("no-limit", None, 0.06, 0.06)
    same, restarted = run("100m", 0.1, 0.06, 0.07), PodEvent(1.0, "a", "u", "restarted", "receipt")

    def verdict(*runs: Run) -> str:
        return labs.draw(Recording("throttling", "embedded", "v1.37.0", runs)).alternative

    assert "Aucune limite ne fait attendre le travail\u00a0; aucun redémarrage" in verdict(
        free, same
    )
    slow = run("100m", 0.1, 0.5, 0.6)
    assert "fait attendre le travail\u00a0; aucun redémarrage" in verdict(free, slow)
    assert "fait attendre le travail\u00a0; aucun redémarrage" in verdict(slow)
    assert "fait attendre le travail\u00a0; 1\u00a0redémarrage" in verdict(
        free, replace(slow, pods=(restarted,))
    )


def test_a_limit_that_may_slow_or_not_gets_no_verdict() -> None:
    runs = (*recording().runs, run("500m", 0.5, 0.06, 0.11, 0.1))
    story = labs.get("throttling").to_story(Recording("throttling", "kind", "v1.37.0", runs))
    assert "500m.slowed" not in story.verdicts
    assert story.verdicts["500m.restarts"] == 0 and story.verdicts["100m.slowed"] is True


@pytest.mark.parametrize("limits", ["500m", [], ["100m", "100m"], ["beaucoup"]])
def test_limits_that_make_no_sense_are_refused(limits: object) -> None:
    with pytest.raises(UsageError, match="limites différentes"):
        labs.throttling.measure(limits)  # type: ignore[arg-type]


def test_work_that_does_not_fit_is_refused_before_anything_is_done() -> None:
    with pytest.raises(UsageError, match=r"0\.12 processeur, plus que 100m"):
        labs.throttling.measure(["no-limit", "100m"], rate_per_s=2)


def test_a_recording_of_format_1_holds_the_same_codes() -> None:
    old = Recording.load(Path(__file__).with_name("format_1.json"))
    assert old == labs.kept("throttling", "kind")
