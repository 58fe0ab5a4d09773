"""Things tried: what is kept of them, told of them and drawn of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from k8s_helpers import analysis, labs
from k8s_helpers._errors import RecordingError
from k8s_helpers.analysis.attempts import (
    AttemptWords,
    attempt,
    by_code,
    succeeded,
    to_story,
)
from k8s_helpers.draw.attempts import attempts as draw_attempts
from k8s_helpers.labs.canary import summarize as canary_summary
from k8s_helpers.labs.canary.forecast import share_interval
from k8s_helpers.measure.recording import Attempt, Recording, Request, Run

WORDS = AttemptWords(
    title="Qui entre ?",
    verdict=lambda recording: f"{sum(by_code(recording)[key].ok for key in KEYS)} entrée.",
    who={"guest": "L’invité", "thief": "Le voleur"},
    what={"door": "par la porte"},
    answer={"in": "entre", "out": "reste dehors"},
    runs={"evening": "Le soir"},
    detail=lambda attempt: attempt.detail.upper(),
)
KEYS = (("guest", "door"), ("thief", "door"))


def _recording(answer: str = "out", detail: str = "no key") -> Recording:
    attempts = (
        Attempt(0.5, "guest", "door", True, "in"),
        Attempt(1.0, "thief", "door", answer == "in", answer, detail),
    )
    run = Run("evening", "2026-01-01T10:00:00+00:00", 8.0, attempts=attempts)
    return Recording("doors", "embedded", "v1.37.0", (run,))


def test_attempts_survive_a_file(tmp_path: Path) -> None:
    made = _recording()
    assert Recording.load(made.save(tmp_path / "r.json")) == made


def test_an_attempt_is_looked_up_by_its_codes() -> None:
    made = _recording()
    assert attempt(made.runs[0], "thief", "door").answer == "out"
    assert succeeded(made, "guest", "door") and not succeeded(made, "thief", "door")
    with pytest.raises(RecordingError, match=r"\('thief', 'door'\)"):
        attempt(made.runs[0], "thief", "window")
    with pytest.raises(RecordingError, match="doors"):
        succeeded(made, "nobody", "door")


def test_the_story_does_not_depend_on_details() -> None:
    story = to_story(_recording())
    assert list(analysis.differences(story, to_story(_recording(detail="a key")))) == []
    (difference,) = analysis.differences(story, to_story(_recording("in")))
    assert (difference.first, difference.second) == ("out", "in")
    assert story.verdicts["evening.order"] == ("evening.guest.door", "evening.thief.door")


def test_the_summary_and_the_figure_have_words_in_the_place_of_codes() -> None:
    (_, thief) = WORDS.to_json(_recording())["runs"]["evening"]
    assert thief == {
        "who": "Le voleur",
        "what": "par la porte",
        "ok": False,
        "answer": "reste dehors",
        "detail": "NO KEY",
    }
    figure = draw_attempts(_recording(), WORDS)
    assert "1 entrée. Le soir\u00a0: L’invité, par la porte\u00a0: entre" in figure.alternative
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert "✔ entre" in texts and "✘ reste dehors" in texts and "NO KEY" in texts


@pytest.mark.parametrize("answer", ["403", "v2", "?"])
def test_numbers_and_versions_need_no_word(answer: str) -> None:
    assert WORDS.translate(_recording(answer).runs[0])[1].answer == answer


def test_a_code_of_another_version_of_the_course_is_said() -> None:
    with pytest.raises(RecordingError, match="« upside-down » n’est pas un mot de ce cours"):
        WORDS.translate(_recording("upside-down").runs[0])


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
    figure = labs.draw(Recording("canary", "kind", "v1.37.0", (_canary(180),)))
    assert "s’écarte" in figure.alternative and "1\u00a0requête perdue" in figure.alternative
