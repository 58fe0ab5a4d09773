"""What the chart of a Service's spreading says, in French."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..._french import NO_BREAK, number, seconds
from ...measure.recording import Recording, Run
from .summary import Shares, left_endpoints_s, replaced, same_addresses, shares

TITLES: Mapping[str, str] = {
    "new-connections": "Une connexion par requête",
    "keep-alive": "Connexion gardée ouverte",
}


def verdict(name: str, counted: Shares) -> tuple[str, str]:
    """Say how requests were spread over the pods, and what that tells of the Service's choice."""
    if name == "new-connections":
        if counted.in_turn:
            return "réparties à tour de rôle", "jamais deux de suite au même pod"
        fair = "au hasard" if counted.fair else "pas comme un tirage équitable"
        row = f"jusqu’à {counted.longest_row} de suite au même pod"
        return f"réparties {fair}", f"{row}{NO_BREAK}: pas à tour de rôle"
    share = f"{100 * counted.largest:.0f}{NO_BREAK}%"
    if counted.one_pod:
        return f"un seul pod en a {share}", "le Service choisit à la connexion, pas à la requête"
    return f"le pod qui en a le plus en a {share}", "une même connexion va à plusieurs pods"


def death(run: Run) -> tuple[str, str]:
    """Say what changed and what stayed when a pod was deleted."""
    left_s, same = left_endpoints_s(run), same_addresses(run)
    if same is None:
        return "mesure en cours", ""
    kept = "aucune adresse ne change" if same else "l’adresse du Service a changé"
    out = "jamais sorti" if left_s is None else f"sorti des endpoints en {seconds(left_s)}"
    after = "un autre le remplace" if replaced(run) else "aucun autre ne le remplace"
    return kept, f"le pod supprimé est {out}, {after}"


def alternative(recording: Recording, counted: Sequence[Run], dies: Run | None) -> str:
    """Return the chart's text alternative."""
    parts = [f"Répartition des requêtes derrière un Service, {recording.where}."]
    for run in counted:
        pods = shares(run)
        counts = ", ".join(f"{pod} {number(value)}" for pod, value in pods.answers.items())
        _, low, high = pods.expected
        parts.append(
            f"{TITLES[run.name]}{NO_BREAK}: {'. '.join(verdict(run.name, pods))} ({counts}{NO_BREAK}; un tirage "
            f"équitable en donnerait {number(low)} à {number(high)} à chacun)."
        )
    if dies is not None:
        parts.append(f"Quand un pod disparaît, {', '.join(filter(None, death(dies)))}.")
    return " ".join(parts)
