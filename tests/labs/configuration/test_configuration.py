"""A setting that changes: what follows from samples whose every instant is known."""

from __future__ import annotations

from k8s_helpers import labs
from k8s_helpers.labs.configuration import summarize as configuration_summary
from k8s_helpers.labs.configuration.forecast import file_delay_s
from k8s_helpers.labs.configuration.summary import to_story as configuration_story
from k8s_helpers.measure.recording import Mark, Recording, Run, Sample


def _samples(way: str, changes_s: float, *, flapping_s: float | None = None) -> list[Sample]:
    """Return what a way shows every half second for 30 s; an old pod may answer once more."""
    instants = [number / 2 for number in range(60)]
    return [
        Sample(at_s, "value", 1.0 if at_s < changes_s or at_s == flapping_s else 2.0, way)
        for at_s in instants
    ]


def _recording(file_s: float = 8.0, env_s: float = 22.0, provider: str = "kind") -> Recording:
    samples = [
        *_samples("file", file_s),
        *_samples("env", env_s, flapping_s=24.0),
        *_samples("subpath", 99.0),
    ]
    run = Run(
        "configmap",
        "2026-01-01T10:00:00+00:00",
        30.0,
        {"predicted_s": list(file_delay_s(provider))},
        samples=tuple(samples),
        marks=(Mark(3.0, "change"), Mark(20.0, "restart")),
    )
    return Recording("configuration", provider, "v1.37.0", (run,))


def test_each_way_follows_when_it_does_for_good() -> None:
    found = configuration_summary(_recording().runs[0])
    assert found.way("file").followed_s == 5.0 and found.way("file").restarted_s is None
    # the old pod answered once more at 24 s: what follows counts from the answer after it
    assert found.way("env").followed_s is None and found.way("env").restarted_s == 4.5
    subpath = found.way("subpath")
    assert (subpath.followed_s, subpath.restarted_s) == (None, None)
    assert found.watched_s == 17.0


def test_the_story_is_how_each_way_follows() -> None:
    story = configuration_story(_recording())
    follows = {name: value for name, value in story.verdicts.items() if name.endswith(".follows")}
    assert follows == {
        "configmap.env.follows": "after-restart",
        "configmap.file.follows": "by-itself",
        "configmap.subpath.follows": "never",
    }
    assert story.durations_s == {"configmap.file.delay": 5.0}


def test_a_delay_outside_the_forecast_is_seen() -> None:
    name = "configmap.file.in-time"
    assert configuration_story(_recording(provider="kind")).verdicts[name] is True
    assert configuration_story(_recording(provider="embedded")).verdicts[name] is False


def test_a_kubelet_takes_up_to_its_jittered_period() -> None:
    low_s, high_s = file_delay_s("kind")
    assert low_s == 0 and 90 <= high_s <= 95
    assert file_delay_s("existing") == (low_s, high_s) and file_delay_s("embedded")[1] <= 2


def test_the_chart_says_what_followed() -> None:
    figure = labs.draw(_recording())
    assert "fichier monté\u00a0: suit sans redémarrage, après 5,0\u00a0s" in figure.alternative
    assert "fichier monté par subPath\u00a0: n’a jamais suivi" in figure.alternative
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert "le ConfigMap change" in texts and "redémarrage" in texts
    assert "Raccourci ici" in labs.draw(_recording(provider="embedded")).alternative


def test_the_summary_is_plain() -> None:
    plain = labs.summarize(_recording())["runs"]["configmap"]["ways"]
    assert plain["file"] == {"followed_s": 5.0, "restarted_s": None}


def test_with_a_real_kubelet_the_folder_alone_follows_and_within_tens_of_seconds() -> None:
    (run,) = labs.kept("configuration", "kind").runs
    summary = configuration_summary(run)
    assert [way.way for way in summary.ways if way.followed_s is not None] == ["file"]
    followed_s = summary.way("file").followed_s
    assert followed_s is not None and 10 < followed_s < 95
