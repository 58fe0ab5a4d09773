"""The lab `pod_security` in French."""

from __future__ import annotations

import re

from ..._french import typeset
from ...analysis.attempts import AttemptWords, by_code, succeeded
from ...measure.recording import Attempt, Recording
from .codes import Outcome, What, Who

_FIELDS = (
    "privileged",
    "allowPrivilegeEscalation",
    "capabilities",
    "runAsNonRoot",
    "seccompProfile",
)
"""What the messages of Pod Security admission name, and the manifests too."""


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
    return _missing(attempt.detail) or attempt.detail


def _missing(message: str) -> str:
    """Return the promises that a message of Pod Security admission says are missing, by the names of their fields."""
    broken = [field for field in _FIELDS if re.search(rf"\b{field}\b", message)]
    return f"en cause : {', '.join(broken)}" if broken else ""


def _alarming(attempt: Attempt) -> bool:
    """Return whether a privileged pod gets in, or a Deployment has no pods: a refusal is no bad news."""
    if attempt.what == What.PRIVILEGED:
        return attempt.ok
    return attempt.answer == Outcome.NO_POD


WORDS = AttemptWords(
    title="Ce que chaque niveau de sécurité laisse entrer",
    verdict=_verdict,
    who={str(who): str(who) for who in Who}
    | {Who.NO_LABEL: "Sans étiquette", Who.REPLICA_SET: "Son ReplicaSet"},
    what={
        What.PRIVILEGED: "pod privilégié",
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
    alarming=_alarming,
)
