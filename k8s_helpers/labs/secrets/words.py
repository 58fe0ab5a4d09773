"""The lab `secrets` in French."""

from __future__ import annotations

from ..._french import typeset
from ...analysis.attempts import AttemptWords, by_code, succeeded
from ...measure.recording import Recording
from .codes import Outcome, What, Who


def _verdict(recording: Recording) -> str:
    tried = by_code(recording)
    decoded = succeeded(recording, Who.YAML_READER, What.DECODE)
    base64 = "Le base64 ne protège rien" if decoded else "Le base64 ne se décode pas"
    by_api = [attempt for attempt in tried.values() if attempt.what in (What.GET, What.LIST)]
    refused = sum(attempt.answer == "403" for attempt in by_api)
    number = f"{refused} lecture{'s' if refused > 1 else ''}"
    mounted = succeeded(recording, Who.POD_CREATOR, What.MOUNT)
    pod = "mais pas celle d’un pod" if mounted else "et pas permis celle d’un pod"
    rbac = f"RBAC a refusé {number}, {pod} qui reçoit le Secret"
    etcd = tried.get((Who.ETCD_READER, What.ETCD))
    kept = f" ; dans etcd, il est {WORDS.answer[etcd.answer]}" if etcd else ""
    return typeset(f"{base64} ; {rbac}{kept}.")


WORDS = AttemptWords(
    title="Qui peut lire un Secret ?",
    verdict=_verdict,
    who={
        Who.YAML_READER: "Qui voit le YAML",
        Who.NO_RIGHTS: "Compte sans droit",
        Who.GET_RIGHT: "Compte au droit précis",
        Who.POD_CREATOR: "Compte qui peut créer des pods",
        Who.ETCD_READER: "Qui a accès à etcd",
    },
    what={
        What.DECODE: "décoder le base64, sans aucune clé",
        What.GET: "lire le Secret par l’API",
        What.LIST: "lister tous les Secrets",
        What.MOUNT: "le lire par un pod qui le reçoit",
        What.ETCD: "lire la valeur dans etcd",
    },
    answer={
        Outcome.READ: "lu",
        Outcome.PLAINTEXT: "en clair",
        Outcome.ENCRYPTED: "chiffré",
        Outcome.FORBIDDEN: "refusé (403)",
    },
    alarming=lambda attempt: (
        attempt.ok != (attempt.who == Who.GET_RIGHT and attempt.what == What.GET)
    ),
)
