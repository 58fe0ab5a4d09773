"""The lab `pod_security` in French."""

from __future__ import annotations

from ..._french import typeset
from ...analysis.attempts import AttemptWords, by_code, succeeded
from ...measure.recording import Attempt, Recording
from .codes import Outcome, What, Who


def _verdict(recording: Recording) -> str:
    tried = by_code(recording).values()
    refused = sum(attempt.answer == Outcome.REFUSED for attempt in tried)
    s = "s" if refused > 1 else ""
    warned = [attempt for attempt in tried if attempt.who == Who.WARN_RESTRICTED]
    passes = "laisse passer" if all(attempt.ok for attempt in warned) else "ne laisse pas passer"
    warns = any(attempt.answer == Outcome.WARNED for attempt in warned)
    says = "prévient" if warns else "ne prévient pas"
    return typeset(
        f"{refused} pod{s} refusé{s} par leur niveau ; « warn » {passes} et {says} ; {_deployment(recording)}."
    )


def _deployment(recording: Recording) -> str:
    if not succeeded(recording, Who.ENFORCE_RESTRICTED, What.DEPLOYMENT):
        return "un Deployment est refusé"
    pods = "aussi" if succeeded(recording, Who.REPLICA_SET, What.OWN_POD) else "non"
    return f"un Deployment est accepté, ses pods {pods}"


def _detail(attempt: Attempt) -> str:
    if attempt.what == What.DEPLOYMENT and attempt.ok:
        return "l’API ne juge que des pods"
    return attempt.detail


WORDS = AttemptWords(
    title="Ce que chaque niveau de sécurité laisse entrer",
    verdict=_verdict,
    who={str(who): str(who) for who in Who}
    | {Who.NO_LABEL: "Sans étiquette", Who.REPLICA_SET: "Son ReplicaSet"},
    what={
        What.PRIVILEGED: "pod privilegie",
        What.ORDINARY: "pod ordinaire",
        What.HARDENED: "pod durci",
        What.DEPLOYMENT: "Deployment ordinaire",
        What.OWN_POD: "créer le pod demandé",
    },
    answer={
        Outcome.ACCEPTED: "accepté",
        Outcome.WARNED: "averti",
        Outcome.REFUSED: "refusé",
        Outcome.NO_POD: "0 pod",
        Outcome.READY_POD: "1 pod",
    },
    detail=_detail,
)
