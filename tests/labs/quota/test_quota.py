"""What the lab `quota` says and draws: refusals for the quota and for something else, any quantity of the API."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from k8s_helpers import labs
from k8s_helpers.labs.quota.words import verdict
from k8s_helpers.measure.recording import Recording


def _kept() -> Recording:
    return labs.kept("quota", "embedded")


def _with_steps(recording: Recording, **changed: object) -> Recording:
    run = recording.run("quota")
    steps = [{**step, **changed} for step in run.parameters["steps"]]
    return replace(recording, runs=(replace(run, parameters={**run.parameters, "steps": steps}),))


def test_a_refusal_for_something_else_is_not_laid_to_the_quota() -> None:
    refused = _with_steps(_kept(), accepted=False, message="pods is forbidden: no rights")
    (run,) = refused.runs
    assert verdict(run).startswith("0 pod accepté, pod-1, pod-2")
    assert "le quota n’y est pour rien" in verdict(run) and "plein" not in verdict(run)


def test_what_was_never_refused_has_no_reason() -> None:
    (run,) = _with_steps(_kept(), accepted=True, message="").runs
    assert verdict(run) == "5 pods acceptés"


def test_quantities_are_read_as_the_api_writes_them() -> None:
    asked = {kind: {"cpu": "500m", "memory": "500M"} for kind in ("requests", "limits")}
    recording = _with_steps(_kept(), asked=asked)
    (run,) = recording.runs
    hard = {name: "1G" if "memory" in name else "2" for name in run.parameters["hard"]}
    recording = replace(
        recording, runs=(replace(run, parameters={**run.parameters, "hard": hard}),)
    )
    widths = {round(bar.get_width(), 6) for bar in labs.draw(recording).axes[0].patches}
    assert widths == {25.0, 50.0}


def test_names_of_format_1_become_codes() -> None:
    old = Recording.load(Path(__file__).with_name("format_1.json"))
    assert [run.name for run in old.runs] == ["quota", "no-requests", "limitrange"]
    assert labs.summarize(old) == labs.summarize(_kept())
    assert list(labs.summarize(old)["runs"]) == ["quota", "sans-requests", "limitrange"]


@pytest.mark.parametrize("provider", ["embedded", "kind"])
def test_the_story_is_the_same_everywhere(provider: str) -> None:
    verdicts = labs.get("quota").to_story(labs.kept("quota", provider)).verdicts
    accepted = {code: taken for code, (taken, _) in verdicts.items()}  # type: ignore[misc]
    assert accepted == {
        **{f"quota.pod-{number}": number < 5 for number in range(1, 6)},
        "no-requests.muet": False,
        "limitrange.muet": True,
        "limitrange.geant": False,
    }
