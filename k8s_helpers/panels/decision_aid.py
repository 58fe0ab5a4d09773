"""The panel of slides 6.03 and 6.04: a context in, a reasoned recommendation out, every rule visible."""

from __future__ import annotations

from html import escape
from typing import Any

from .._french import number
from . import panel
from .availability import LEVELS
from .decision import KINDS, OPTIONS, Context, Recommendation, Rule, Thresholds, recommend


def decision_aid(context: Context | None = None) -> panel.Panel:
    """Return the decision aid: VM, Compose, PaaS, serverless or Kubernetes.

    Parameters
    ----------
    context : Context, optional
        The one shown first.
    """
    start, limits = context or Context(), Thresholds()
    levels = [(f"{level:g} %".replace(".", ","), level) for level in LEVELS]
    controls = {
        "kind": panel.choice(
            "Vous déployez", [(words, kind) for kind, words in KINDS.items()], start.kind
        ),
        "services": panel.integer("Services", start.services, 1, 40),
        "developers": panel.integer("Personnes dans l’équipe", start.developers, 1, 60),
        "peaks": panel.yes("La charge a des pics importants", start.peaks),
        "availability_percent": panel.choice(
            "Disponibilité voulue", levels, start.availability_percent
        ),
        "several_providers": panel.yes(
            "Il faut pouvoir changer de fournisseur", start.several_providers
        ),
        "skilled": panel.yes("L’équipe connaît Kubernetes et a du temps", start.skilled),
        "many_services": panel.integer("Opinion : « beaucoup »", limits.many_services, 2, 30),
        "small_team": panel.integer("Opinion : « petite équipe »", limits.small_team, 1, 20),
    }
    return panel.Panel("Où déployer ?", controls, render)


def render(many_services: int, small_team: int, **context: Any) -> str:
    """Return the recommendation for a context as HTML, with all the rules."""
    advice = recommend(Context(**context), Thresholds(many_services, small_team))
    header = ["règle", "diapositive", "s’applique", *OPTIONS]
    rows = [_row(rule) for rule in advice.rules]
    rows.append(
        [
            "<strong>total</strong>",
            "",
            "",
            *(f"<strong>{_signed(advice.scores[option])}</strong>" for option in OPTIONS),
        ]
    )
    note = (
        "<p><em>Les seuils et les points sont des opinions, pas des mesures : changez les seuils, "
        "regardez si la réponse tient.</em></p>"
    )
    return _sentence(advice) + panel.table("Toutes les règles", header, rows) + note


def _sentence(advice: Recommendation) -> str:
    reasons = " ; ".join(advice.reasons) or "aucune règle ne plaide pour autre chose"
    tied = escape(", ".join(advice.tied))
    sentence = f"<p>Le plus raisonnable ici : <strong>{escape(advice.option)}</strong>. Pourquoi : {escape(reasons)}."
    if tied:
        sentence += f" À égalité avec {tied} : à points égaux, le plus simple à exploiter gagne."
    return sentence + "</p>"


def _row(rule: Rule) -> list[str]:
    points = [_signed(rule.points.get(option, 0)) for option in OPTIONS]
    if not rule.applies:
        points = [
            f"<span style='color:#6B7280'>({share})</span>" if share != "·" else share
            for share in points
        ]
    return [escape(rule.condition), rule.slide, "✔ oui" if rule.applies else "non", *points]


def _signed(points: int) -> str:
    if points == 0:
        return "·"
    return f"+{number(points)}" if points > 0 else number(points)
