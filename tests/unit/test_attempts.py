"""Things tried: what is kept of them, told of them and drawn of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from k8s_helpers import charts, timeline
from k8s_helpers._errors import RecordingError
from k8s_helpers.charts import wordings
from k8s_helpers.experiments.encryption_at_rest import identity_first
from k8s_helpers.experiments.secrets_rbac import readable
from k8s_helpers.forecasts.canary import share_interval
from k8s_helpers.recording import Attempt, Recording, Request, Run
from k8s_helpers.timeline.attempts import attempt, attempts_story
from k8s_helpers.timeline.canary import canary_summary


def _recording(answer: str = "répond", detail: str = "3 sur 3") -> Recording:
    attempts = (
        Attempt(0.5, "Sans politique", "un pod appelle le serveur", True, "répond"),
        Attempt(
            1.0, "Politique « tout refuser »", "l’API prend l’objet", True, "acceptée", "uid 1"
        ),
        Attempt(
            7.0,
            "Politique « tout refuser »",
            "un pod appelle le serveur",
            answer == "répond",
            answer,
            detail,
        ),
    )
    run = Run("politique", "2026-01-01T10:00:00+00:00", 8.0, attempts=attempts)
    return Recording("network_policy", "embedded", "v1.37.0", (run,))


def test_attempts_survive_a_file(tmp_path: Path) -> None:
    made = _recording()
    assert Recording.load(made.save(tmp_path / "r.json")) == made
    assert attempt(made.runs[0], "Sans politique", "un pod appelle le serveur").answer == "répond"
    with pytest.raises(KeyError):
        attempt(made.runs[0], "personne", "rien")


def test_the_story_does_not_depend_on_details() -> None:
    one, other = attempts_story(_recording()), attempts_story(_recording(detail="autre"))
    assert list(timeline.differences(one, other)) == []
    (found,) = timeline.differences(one, attempts_story(_recording("bloqué")))
    assert (found.one, found.other) == ("répond", "bloqué")


def test_the_figure_tells_who_tried_what() -> None:
    figure = charts.draw(_recording())
    assert "Sans politique, un pod appelle le serveur\u00a0: répond" in figure.alternative
    assert "rien ne l’applique ici" in figure.alternative
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert texts.count("✔ répond") == 2 and texts.count("✔ acceptée") == 1
    assert texts.count("Politique « tout refuser »") == 1  # told where it changes
    blocked = charts.draw(_recording("bloqué"))
    assert "✘ bloqué" in [text.get_text() for text in blocked.axes[0].texts]
    assert "applique la politique" in blocked.alternative


def test_long_answers_are_cut_into_lines_that_fit() -> None:
    figure = charts.draw(_recording(detail="mot " * 200))
    figure.canvas.draw()
    width = figure.bbox.width
    for text in figure.axes[0].texts:
        assert text.get_window_extent().x1 <= width


def test_nothing_tried_is_said() -> None:
    empty = Recording(
        "secrets", "kind", "v1.37.0", (Run("secrets", "2026-01-01T10:00:00+00:00", 1.0),)
    )
    with pytest.raises(RecordingError, match="aucun essai"):
        charts.draw(empty)


def test_every_experiment_made_of_attempts_has_words_and_a_story() -> None:
    assert set(wordings.WORDINGS) <= set(timeline.STORIES)


def test_the_way_back_from_encryption_writes_in_clear_and_still_reads() -> None:
    text = (
        "resources: [{resources: [secrets], providers: [{secretbox: {keys: []}}, {identity: {}}]}]"
    )
    back = identity_first(text)
    assert back.index("identity") < back.index("secretbox")
    assert back.count("identity") == 1


def test_bytes_are_shown_where_they_can_be_read() -> None:
    assert readable(b"k8s\x00\n\xc3v1") == "k8s···v1"


def test_the_share_of_a_canary_is_told_with_its_chance() -> None:
    low, high = share_interval(0.1, 1000)
    assert 0.06 < low < 0.075 and 0.125 < high < 0.14
    wide = share_interval(0.1, 100)
    assert wide[0] < low and wide[1] > high
    assert share_interval(0.0, 1000)[0] == 0.0 and share_interval(0.5, 0) == (0.0, 1.0)


def _canary(of_canary: int, requests: int = 1000) -> Run:
    made = tuple(
        Request(0.0, 0.0, 0.1, 200, "v2" if number < of_canary else "v1")
        for number in range(requests)
    )
    lost = Request(0.0, 0.0, 0.1, None, None, None, "refused")
    parameters = {"stable": 9, "canary": 1}
    return Run("9-1", "2026-01-01T10:00:00+00:00", 1.0, parameters, requests=(*made, lost))


def test_a_share_is_judged_by_its_interval() -> None:
    found = canary_summary(_canary(101))
    assert (found.answered, found.canary_answered, found.failed) == (1000, 101, 1)
    assert found.expected == 0.1 and found.as_expected
    assert not canary_summary(_canary(180)).as_expected
    figure = charts.draw(Recording("canary", "kind", "v1.37.0", (_canary(180),)))
    assert "s’écarte" in figure.alternative and "1\u00a0requête perdue" in figure.alternative
