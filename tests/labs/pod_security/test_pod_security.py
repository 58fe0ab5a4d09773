"""Levels of Pod Security: what is said of levels that refuse otherwise than they should."""

from __future__ import annotations

from dataclasses import replace

from k8s_helpers import labs
from k8s_helpers.measure.recording import Recording


def recording(**answers: str) -> Recording:
    """Return the kept recording with other answers under a level: "warn" or "enforce"."""
    kept = labs.kept("pod_security", "embedded")
    (run,) = kept.runs
    attempts = tuple(
        replace(attempt, ok=new not in ("refused", "no-pod"), answer=new)
        if (new := answers.get(attempt.who.partition(":")[0]))
        else attempt
        for attempt in run.attempts
    )
    return replace(kept, runs=(replace(run, attempts=attempts),))


def said(made: Recording) -> str:
    return labs.draw(made).alternative.replace("\u00a0", " ")


def test_a_warning_that_is_none_is_said() -> None:
    assert "« warn » laisse passer et ne prévient pas" in said(recording(warn="accepted"))
    assert "« warn » ne laisse pas passer et ne prévient pas" in said(recording(warn="refused"))


def test_what_becomes_of_a_deployment_is_said() -> None:
    assert "un Deployment est refusé." in said(recording(enforce="refused"))
    assert "0 pod refusé par leur niveau" in said(recording(enforce="accepted"))
    assert "est accepté, ses pods non" in said(recording())
