"""How a pod finds a Service: what is said where a name or a variable is missing."""

from __future__ import annotations

from dataclasses import replace

from k8s_helpers import labs
from k8s_helpers.measure.recording import Recording


def lacking(who: str, what: str, answer: str) -> Recording:
    """Return the kept recording, had one pod not found what it looked for."""
    kept = labs.kept("discovery", "embedded")
    (run,) = kept.runs
    attempts = tuple(
        replace(attempt, ok=False, answer=answer)
        if (attempt.who, attempt.what) == (who, what)
        else attempt
        for attempt in run.attempts
    )
    return replace(kept, runs=(replace(run, attempts=attempts),))


def test_pods_without_an_answer_are_counted() -> None:
    figure = labs.draw(lacking("pod-created-before", "name", "no-answer"))
    assert "Le nom ne répond que dans 2 des 3 pods" in figure.alternative


def test_the_variable_is_said_to_be_written_at_start_only_where_that_was_seen() -> None:
    figure = labs.draw(lacking("pod-created-after", "variable", "absent"))
    assert "la variable manque dans 3 sur 3." in figure.alternative
    assert "écrite au démarrage" not in figure.alternative
