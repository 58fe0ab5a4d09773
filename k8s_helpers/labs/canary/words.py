"""What the chart of a canary release says, in French."""

from __future__ import annotations

from collections.abc import Sequence

from ..._french import NO_BREAK, count, number, typeset
from ...measure.recording import Recording
from .summary import CanarySummary


def pods(step: CanarySummary) -> str:
    """Say how many of a step's pods are canaries."""
    return f"{count(step.canary, 'pod')} sur {step.stable + step.canary}"


def percent(share: float) -> str:
    """Write a share of requests."""
    return f"{number(100 * share, 1)}{NO_BREAK}%"


def measured(step: CanarySummary) -> str:
    """Say which share was measured, and which was predicted."""
    low, high = step.interval
    return (
        f"mesuré {percent(step.share)}, prévu {percent(step.expected)} "
        f"({percent(low)} à {percent(high)}), {count(step.answered, 'requête')}"
    )


def title(steps: Sequence[CanarySummary]) -> str:
    """Say in one line whether shares are those of the pods."""
    good = sum(step.as_expected for step in steps)
    lost = sum(step.failed for step in steps)
    tail = "" if not lost else f", {count(lost, 'requête')} perdue{'s' if lost > 1 else ''}"
    if good == len(steps):
        return f"La part du canari est celle de ses pods, au hasard près{tail}"
    return f"La part du canari s’écarte de celle de ses pods dans {count(len(steps) - good, 'étape')}{tail}"


def alternative(recording: Recording, steps: Sequence[CanarySummary]) -> str:
    """Return the chart's text alternative."""
    sentences = [
        f"{pods(step)}{NO_BREAK}: {percent(step.share)} de {count(step.answered, 'requête')}, prévu "
        f"{percent(step.expected)}, entre {percent(step.interval[0])} et {percent(step.interval[1])}."
        for step in steps
    ]
    head = f"Étapes d’une livraison canari derrière un seul Service ({recording.where})."
    return typeset(f"{head} {title(steps)}. {' '.join(sentences)}")
