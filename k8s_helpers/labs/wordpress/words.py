"""The lab `wordpress` in French."""

from __future__ import annotations

from ..._french import enumeration, typeset
from ...analysis.attempts import AttemptWords, by_code
from ...measure.recording import Attempt, Recording
from .codes import Outcome, What, Who

_AFTER = {
    What.THREE_SITES: "passage à trois sites",
    What.NEW_SITES: "remplacement des sites",
    What.NEW_DATABASE: "remplacement de la base",
}


def _verdict(recording: Recording) -> str:
    tried = by_code(recording)
    lost = [
        words
        for what, words in _AFTER.items()
        if (attempt := tried.get((Who.READERS, what))) is None or not attempt.ok
    ]
    if lost:
        return typeset(f"L’article n’est plus lu par tous après : {enumeration(lost)}.")
    return typeset(
        "L’article survit à tous les pods : le site n’a pas d’état, et la base a laissé le sien dans son volume."
    )


def _detail(attempt: Attempt) -> str:
    if attempt.who != Who.READERS:
        return attempt.detail
    seen, _, count = attempt.detail.partition("/")
    return f"{seen} lecteurs sur {count} voient l’article"


WORDS = AttemptWords(
    title="WordPress et sa base, dans deux pods",
    verdict=_verdict,
    who={Who.AUTHOR: "Autrice", Who.READERS: "Lecteurs, par le Service"},
    what={
        What.INSTALL: "installer le blog",
        What.PUBLISH: "publier un article",
        What.THREE_SITES: "lire, avec trois pods pour le site",
        What.NEW_SITES: "lire, une fois tous les pods du site remplacés",
        What.NEW_DATABASE: "lire, une fois le pod de la base remplacé",
    },
    answer={Outcome.DONE: "fait", Outcome.READ: "lu par tous", Outcome.LOST: "perdu"},
    detail=_detail,
)
