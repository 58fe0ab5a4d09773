"""What an autoscaler did with a load, in French words, beside what was predicted."""

from __future__ import annotations

from collections.abc import Mapping

from ..._french import NO_BREAK, count, number, seconds, typeset
from ...measure.recording import Recording, Run
from ...measure.traffic.effort import shortfall
from .codes import LoadShape
from .forecast import ScalingFacts
from .summary import scalings, summarize

DELAYS = {
    "stabilizationWindowSeconds": "attente avant de retirer des pods",
    "horizontal-pod-autoscaler-sync-period": "temps entre deux regards de l’autoscaler",
    "horizontal-pod-autoscaler-cpu-initialization-period": "processeur d’un pod neuf ignoré pendant",
    "horizontal-pod-autoscaler-initial-readiness-delay": "un pod neuf peut passer pour prêt après",
}
"""What each setting of Kubernetes means, in the order in which it is shown."""


def verdict(run: Run) -> str:
    """Tell in one sentence what the autoscaler did, beside what was predicted."""
    summary = summarize(run)
    same = summary.plateau_replicas == summary.predicted_replicas
    words = (
        f"{count(summary.plateau_replicas, 'pod')} au {'plateau' if summary.has_plateau else 'plus'}, "
        f"{'comme prévu' if same else f'{number(summary.predicted_replicas)} prévus'}"
    )
    if summary.max_replicas > summary.plateau_replicas:
        words += f" (un moment {number(summary.max_replicas)})"
    if summary.first_scale_up_s is None:
        return typeset(words + " ; aucun ajout")
    words += f" ; premier ajout {seconds(summary.first_scale_up_s)} après la charge"
    if summary.back_to_min_s is None:
        return typeset(words + f" ; pas revenu à {summary.min_replicas} pendant la mesure")
    back = f"retour à {summary.min_replicas} en {seconds(summary.back_to_min_s)} après sa fin"
    return typeset(f"{words} ; {back}")


def sent(run: Run) -> str | None:
    """Say what was really sent where the machine could not send the load; None where it could."""
    words = shortfall(summarize(run).effort, run.parameters, run.ended_s)
    return typeset(words) if words else None


def title(run: Run, predictions: Mapping[str, object] | None) -> tuple[str, str]:
    """Return the figure's title and the line below it: what was reckoned, or why it does not count."""
    below = sent(run)
    if below is None:
        below = ScalingFacts.of(run).plateau.words
        guess = (predictions or {}).get("replicas")
        if guess is not None and guess is not ...:
            below = f"vous aviez prévu{NO_BREAK}{guess} pods · {below}"
    return verdict(run), below


def alternative(recording: Recording, predictions: Mapping[str, object] | None = None) -> str:
    """Return the text alternative: the verdict, the forecast and each decision."""
    run = recording.runs[0]
    facts = ScalingFacts.of(run)
    profile = "libre" if facts.profile == LoadShape.CUSTOM else facts.profile
    decisions = [
        f"à {seconds(scaling.at_s)}, de {scaling.current} à {scaling.desired} ({scaling.words})"
        for scaling in scalings(run)
    ]
    head, below = title(run, predictions)
    return typeset(
        f"Autoscaler sous charge « {profile} », {recording.where}, pendant {seconds(run.ended_s)} : requêtes "
        f"envoyées, CPU des pods contre la cible de {facts.target_percent} %, pods voulus et réels, temps de réponse. "
        f"{head}. {below}. Décisions : {' ; '.join(decisions) or 'aucune'}."
    )
