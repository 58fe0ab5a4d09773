"""Two namespaces: what is said where one of the borders does not hold."""

from __future__ import annotations

from dataclasses import replace

from k8s_helpers import labs
from k8s_helpers.measure.recording import Recording


def crossed(*whats: str, answer: str = "listed") -> Recording:
    """Return the kept recording, had these been possible."""
    kept = labs.kept("namespaces", "embedded")
    (run,) = kept.runs
    attempts = tuple(
        replace(attempt, ok=True, answer=answer) if attempt.what in whats else attempt
        for attempt in run.attempts
    )
    return replace(kept, runs=(replace(run, attempts=attempts),))


def said(made: Recording) -> str:
    return labs.draw(made).alternative.replace("\u00a0", " ")


def test_a_border_that_does_not_hold_is_named() -> None:
    assert "Noms, droits et quota sont propres" in said(crossed())
    assert ": noms et quota, et pas droits ;" in said(crossed("list-pods-of-team-b"))
    assert ": noms et droits, et pas quota ;" in said(crossed("create-pod-in-team-a"))
    same = crossed("name-in-team-b", answer="v1")  # its own program answers under the other's name
    assert ": droits et quota, et pas noms ;" in said(same)
    assert "le réseau, lui, passe" in said(same)
