"""The lab `namespaces` in French."""

from __future__ import annotations

from ..._french import enumeration, typeset
from ...analysis.attempts import AttemptWords, by_code, succeeded
from ...measure.recording import Attempt, Recording
from .codes import Outcome, What, Who


def _verdict(recording: Recording) -> str:
    own = _own(recording)
    theirs = [name for name, kept in own.items() if kept]
    shared = [name for name, kept in own.items() if not kept]
    crossed = succeeded(recording, Who.POD, What.ADDRESS_IN_B)
    network = "le réseau, lui, passe" if crossed else "le réseau ne passe pas"
    if not theirs:
        head = f"Rien n’est propre à chaque espace de noms, ni {' ni '.join(shared)}"
    elif shared:
        head = (
            f"Propre à chaque espace de noms : {enumeration(theirs)}, et pas {enumeration(shared)}"
        )
    else:
        head = f"{enumeration(theirs).capitalize()} sont propres à chaque espace de noms"
    return typeset(f"{head} ; {network} de l’un à l’autre.")


def _own(recording: Recording) -> dict[str, bool]:
    """Return whether names, rights and quota hold in the first team's namespace alone."""

    def alone(who: Who, here: What, there: What, *, allowed: bool) -> bool:
        return (succeeded(recording, who, here), succeeded(recording, who, there)) == (
            allowed,
            not allowed,
        )

    tried = by_code(recording)
    names = [tried.get((Who.POD, what)) for what in (What.NAME, What.NAME_IN_B)]
    versions = {attempt.answer for attempt in names if attempt is not None and attempt.ok}
    return {
        "noms": len(versions) == 2,
        "droits": alone(Who.ACCOUNT, What.PODS_OF_A, What.PODS_OF_B, allowed=True),
        "quota": alone(Who.QUOTA, What.POD_IN_A, What.POD_IN_B, allowed=False),
    }


def _alarming(attempt: Attempt) -> bool:
    """Return whether a border does not hold, or shuts a team out of its own: a 403 at its place is no bad news."""
    kept_out = attempt.what in (What.PODS_OF_B, What.POD_IN_A)
    return attempt.ok if kept_out else not attempt.ok


WORDS = AttemptWords(
    title="Ce qu’un espace de noms garde pour lui",
    verdict=_verdict,
    who={
        Who.POD: "Pod de equipe-a",
        Who.ACCOUNT: "Compte de equipe-a (Role dans equipe-a)",
        Who.QUOTA: "Quota d’un pod dans equipe-a",
    },
    what={
        What.NAME: "http://vitrine",
        What.NAME_IN_B: "http://vitrine.equipe-b",
        What.ADDRESS_IN_B: "adresse d’un pod de equipe-b",
        What.PODS_OF_A: "lister les pods de equipe-a",
        What.PODS_OF_B: "lister les pods de equipe-b",
        What.POD_IN_A: "un pod de plus dans equipe-a",
        What.POD_IN_B: "un pod de plus dans equipe-b",
    },
    alarming=_alarming,
    answer={Outcome.NONE: "rien", Outcome.LISTED: "lus", Outcome.CREATED: "accepté"},
)
