"""A NetworkPolicy: what its calls come to, and what is said of who enforces it."""

from __future__ import annotations

import pytest

from k8s_helpers import labs
from k8s_helpers._errors import RecordingError
from k8s_helpers.labs.network_policy.codes import Calls
from k8s_helpers.measure.recording import Attempt, Recording, Run


def recording(answered: int, *, before: int = 3, last: str = "serveur-1") -> Recording:
    attempts = (
        _called(0.5, "no-policy", before),
        Attempt(1.0, "deny-all", "create-policy", True, "created", "uid 1"),
        _called(7.0, "deny-all", answered, last),
    )
    run = Run("politique", "2026-01-01T10:00:00+00:00", 8.0, attempts=attempts)
    return Recording("network_policy", "embedded", "v1.37.0", (run,))


def _called(at_s: float, who: str, answered: int, last: str = "serveur-1") -> Attempt:
    code = "answered" if answered else "blocked"
    return Attempt(at_s, who, "call-server", answered > 0, code, str(Calls(answered, 3, last)))


def said(made: Recording) -> str:
    return labs.draw(made).alternative


def test_calls_are_read_as_they_were_written() -> None:
    run = recording(2, last="<urlopen error timed out>").runs[0]
    assert labs.network_policy.calls(run, "deny-all") == Calls(2, 3, "<urlopen error timed out>")
    assert labs.network_policy.calls(run, "no-policy").answered == 3
    with pytest.raises(RecordingError, match="'deny-all', 'call-server'"):
        labs.network_policy.calls(run, "allow-all")


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (recording(3), "rien ne l’applique ici"),
        (recording(0), "applique la politique\u00a0: le trafic ne passe plus"),
        (recording(1), "n’arrête qu’une partie des appels"),
        (recording(0, before=0), "ne répondait pas même sans politique"),
    ],
)
def test_the_verdict_is_that_of_the_calls(made: Recording, words: str) -> None:
    assert words in said(made)


def test_the_figure_says_who_tried_what() -> None:
    figure = labs.draw(recording(3))
    assert "Sans politique, un pod appelle le serveur\u00a0: répond" in figure.alternative
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert texts.count("✔ répond") == texts.count("⚠ répond") == 1
    assert texts.count("✔ acceptée") == 1
    assert texts.count("Politique « tout refuser »") == 1  # written where it changes
    assert "3 appels sur 3 ont eu leur réponse (serveur-1)" in texts
    assert "✔ bloqué" in [text.get_text() for text in labs.draw(recording(0)).axes[0].texts]


def test_long_answers_are_cut_into_lines_that_fit() -> None:
    figure = labs.draw(recording(3, last="mot " * 200))
    figure.canvas.draw()
    width = figure.bbox.width
    for text in figure.axes[0].texts:
        assert text.get_window_extent().x1 <= width
