"""The lab `ingress` in French."""

from __future__ import annotations

import re

from ..._french import NO_BREAK, typeset
from ...analysis.attempts import AttemptWords, by_code, succeeded
from ...measure.recording import Attempt, Recording
from .codes import Outcome, What, Who

CONTROLLER = "controller: "
"""Before what the controller itself answers."""

_RULES = {
    (Who.BOUTIQUE, What.ROOT): Outcome.BOUTIQUE,
    (Who.BLOG, What.ROOT): Outcome.BLOG,
    (Who.APP, What.ROOT): Outcome.BOUTIQUE,
    (Who.APP, What.API): Outcome.BLOG,
    (Who.APP, What.APICULTURE): Outcome.BOUTIQUE,
}
"""Which Service the manifests mean."""

_NOBODY = " Sans contrôleur, un Ingress n’est qu’un objet : ni adresse, ni réponse."


def _verdict(recording: Recording) -> str:
    tried = by_code(recording)
    led = sum(code in tried and tried[code].answer == service for code, service in _RULES.items())
    head = (
        f"{led} requêtes menées à leur Service" if led > 1 else f"{led} requête menée à son Service"
    )
    reached = (
        succeeded(recording, Who.LOST, What.ADDRESS),
        succeeded(recording, Who.UNSERVED, What.ROOT),
    )
    nobody = "" if any(reached) else _NOBODY
    return typeset(f"{head} par l’en-tête Host et le chemin.{nobody}")


def _detail(attempt: Attempt) -> str:
    if attempt.detail.startswith(CONTROLLER):
        return f"le contrôleur répond{NO_BREAK}: {attempt.detail.removeprefix(CONTROLLER)}"
    if attempt.ok and re.match("HTTP [45]", attempt.detail):
        return f"{attempt.detail} : c’est le programme qui ne connaît pas ce chemin"
    return attempt.detail


WORDS = AttemptWords(
    title="Qui répond à quelle requête ?",
    verdict=_verdict,
    who={str(who): f"Host: {who}" for who in Who}
    | {
        Who.HOSTS: "Ingress hotes",
        Who.PATHS: "Ingress chemins",
        Who.LOST: "Ingress perdu",
    },
    what={str(what): str(what) for what in What} | {What.ADDRESS: "adresse dans son état"},
    answer={
        Outcome.BOUTIQUE: "boutique",
        Outcome.BLOG: "blog",
        Outcome.ADDRESS: "une",
        Outcome.NO_ADDRESS: "aucune",
    },
    runs={
        "hotes": "Une règle par nom de machine",
        "chemins": "Un nom, deux chemins (l’application v2 est le blog)",
        "sans-controleur": "Une classe que personne ne sert",
    },
    detail=_detail,
)
