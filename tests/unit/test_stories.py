"""The same experiment tells the same story on kind and on the embedded cluster: the kept recordings are compared."""

from __future__ import annotations

from pathlib import Path

import pytest

from k8s_helpers import charts, timeline
from k8s_helpers.recording import Recording
from k8s_helpers.timeline import Story

FOLDER = Path(__file__).parents[2] / "recordings"
KEPT = sorted(FOLDER.glob("*.json"))
BOTH = sorted(
    path.name.removesuffix("-kind.json")
    for path in KEPT
    if path.name.endswith("-kind.json")
    and path.with_name(path.name.replace("-kind.json", "-embedded.json")).exists()
)


def _differences(one: Story, other: Story) -> dict[str, tuple[object, object]]:
    return {found.name: (found.one, found.other) for found in timeline.differences(one, other)}


@pytest.mark.parametrize("path", KEPT, ids=lambda path: path.stem)
def test_a_kept_recording_is_drawn_and_summed_up(path: Path) -> None:
    recording = Recording.load(path)
    assert path.stem == f"{recording.experiment}-{recording.provider}"
    assert path.stat().st_size < 1_000_000
    assert len(charts.draw(recording).alternative) > 40
    assert timeline.summary_json(recording)["provider"] == recording.provider


def test_the_main_experiment_is_kept_on_both_providers() -> None:
    assert "update" in BOTH


@pytest.mark.parametrize("experiment", BOTH)
def test_both_providers_tell_the_same_story(experiment: str) -> None:
    embedded, kind = (
        timeline.STORIES[experiment](Recording.load(FOLDER / f"{experiment}-{provider}.json"))
        for provider in ("embedded", "kind")
    )
    assert embedded.verdicts
    unexplained = {
        name: pair
        for name, pair in _differences(embedded, kind).items()
        if (experiment, name) not in timeline.EXPLAINED
    }
    assert unexplained == {}


def test_only_durations_are_explained() -> None:
    for experiment, name in timeline.EXPLAINED:
        if experiment in BOTH:
            story = timeline.STORIES[experiment](
                Recording.load(FOLDER / f"{experiment}-embedded.json")
            )
            assert name not in story.verdicts


def test_a_difference_is_seen() -> None:
    one = Story({"perd": True, "ordre": "a b"}, {"durée": 10.0, "courte": 0.2})
    assert _differences(one, one) == {}
    other = Story({"perd": False, "ordre": "a b"}, {"durée": 12.6, "courte": 0.9})
    assert _differences(one, other) == {"perd": (True, False), "durée": (10.0, 12.6)}
    assert _differences(one, Story(one.verdicts, {"durée": 10.0})) == {"courte": (0.2, None)}
