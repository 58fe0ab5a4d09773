"""What the chart of a pod's capacity says, in French."""

from __future__ import annotations

from collections.abc import Sequence

from ..._french import NO_BREAK, number, seconds
from ...measure.recording import Recording
from .summary import CapacityStep, sustained_per_s


def verdict(recording: Recording, steps: Sequence[CapacityStep]) -> str:
    """Say how far the pod kept up, and whether it could have gone further."""
    kept_up = f"Un pod tient {number(sustained_per_s(recording))} requêtes par seconde"
    if steps and steps[-1].kept_up:
        return f"{kept_up}, et ce n’est pas sa limite"
    return f"{kept_up} sur cette machine" if _on_this_machine(recording) else kept_up


def conditions(recording: Recording) -> str:
    """Say where client and pod were."""
    if _on_this_machine(recording):
        return "un seul pod, client et pod sur la même machine"
    if any(run.parameters.get("sent_from") == "pod" for run in recording.runs):
        return "un seul pod, le client dans un autre pod du cluster"
    return "un seul pod, le client sur cette machine"


def _on_this_machine(recording: Recording) -> bool:
    return recording.provider != "existing"


def alternative(recording: Recording, steps: Sequence[CapacityStep]) -> str:
    """Return the chart's text alternative."""
    sentences = [f"{verdict(recording, steps)}."]
    for step in steps:
        waited = (
            "aucune réponse"
            if step.p95_s is None
            else f"95 sur 100 en moins de {seconds(step.p95_s)}"
        )
        lack = f", {number(step.unsent)} que le client n’a pas pu envoyer" if step.unsent else ""
        sentences.append(
            f"À {number(step.rate_per_s)} demandées par seconde{NO_BREAK}: {number(step.answered_per_s, 0)} servies, "
            f"{waited}{lack}."
        )
    return " ".join(sentences)
