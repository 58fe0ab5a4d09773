"""What a chart shows, in French words: verdicts, predictions beside what was measured, text alternatives."""

from __future__ import annotations

from collections.abc import Mapping

from ..._french import NO_BREAK, count, number, seconds
from ...analysis.updates import UpdateSummary, summarize
from ...draw.words import predicted
from ...measure.recording import Recording

STRATEGIES: Mapping[str, str] = {
    "rolling-naive": "Rolling update naïf",
    "rolling": "Rolling update soigné",
    "recreate": "Recreate",
    "blue-green": "Bleu-vert",
}


def title(strategy: str) -> str:
    """Return a strategy's name as the course writes it."""
    return STRATEGIES.get(strategy, strategy)


def lost(summary: UpdateSummary) -> str:
    """Tell how many requests users lost."""
    return f"{count(summary.failed, 'requête')} {'perdue' if summary.failed < 2 else 'perdues'}"


def quality(summary: UpdateSummary) -> str:
    """Tell for how long nobody was answered, and for how long two versions answered."""
    words = f"{seconds(summary.mixed_s)} de versions mêlées"
    return f"{seconds(summary.outage_s)} sans réponse · {words}" if summary.outage_s else words


def cost(summary: UpdateSummary) -> str:
    """Tell how many pods it took, how long it lasted and how quick the way back was."""
    words = f"{count(summary.peak_pods, 'pod')} au plus"
    if summary.duration_s is not None:
        words += f" · durée {seconds(summary.duration_s)}"
    return words if summary.back_s is None else f"{words} · retour en {seconds(summary.back_s)}"


def sentence(summary: UpdateSummary, predictions: Mapping[str, object] | None = None) -> str:
    """Tell all about one update in one sentence."""
    parts = [
        f"{lost(summary)} sur {number(summary.requests)}",
        quality(summary).replace(" · ", ", "),
        cost(summary).replace(" · ", ", "),
    ]
    if (reminder := predicted(predictions, summary.strategy)) is not None:
        parts.append(reminder)
    if summary.incidents:
        listed = " ; ".join(
            f"{incident.component} {incident.what}" for incident in summary.incidents
        )
        head = count(len(summary.incidents), "incident")
        parts.append(f"{head} dans le cluster pendant la mesure ({listed})")
    return f"{title(summary.strategy)}{NO_BREAK}: {', '.join(parts)}."


def struck(summary: UpdateSummary) -> str:
    """Name the components of the cluster that had incidents, each once."""
    return ", ".join(dict.fromkeys(incident.component for incident in summary.incidents))


def update_alternative(
    recording: Recording, predictions: Mapping[str, object] | None = None
) -> str:
    """Return the text alternative of the chart of updates."""
    sentences = [sentence(summarize(run), predictions) for run in recording.runs]
    longest_s = max((run.ended_s for run in recording.runs), default=0.0)
    number_of_runs = count(len(recording.runs), "mise à jour", "mises à jour")
    head = (
        f"{number_of_runs} sous trafic, {recording.where}, sur le même axe de temps, de 0 à "
        f"{seconds(longest_s)}{NO_BREAK}: requêtes par seconde selon la version qui répond, vies des pods, "
        "pods prêts et pods en tout."
    )
    return " ".join([head, *sentences])
