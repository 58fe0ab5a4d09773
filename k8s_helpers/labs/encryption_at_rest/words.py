"""The lab `encryption_at_rest` in French."""

from __future__ import annotations

from ..._french import typeset
from ...analysis.attempts import AttemptWords, succeeded
from ...measure.recording import Recording
from .codes import Outcome, What, Who


def _verdict(recording: Recording) -> str:
    in_clear = [
        succeeded(recording, moment, What.ETCD)
        for moment in (Who.NO_KEY, Who.KEY_ADDED, Who.REWRITTEN)
    ]
    key = _KEYS.get(tuple(in_clear), "La mesure ne dit pas ce que change la clé")
    if succeeded(recording, Who.REWRITTEN, What.GET):
        api = "l’API, elle, déchiffre pour qui a le droit de lire"
    else:
        api = "l’API, elle, ne sait plus les lire"
    return typeset(f"{key} ; {api}.")


_KEYS: dict[tuple[bool, ...], str] = {
    (True, True, False): "Donner une clé ne change que ce qui est écrit ensuite",
    (True, False, False): "Donner une clé chiffre aussi ce qui était déjà écrit",
    (True, True, True): "Même réécrits avec la clé, les Secrets restent en clair",
}
"""By whether the value could be read in etcd: without a key, once there is one, once all is written again."""

WORDS = AttemptWords(
    title="Ce qu’etcd garde d’un Secret",
    verdict=_verdict,
    who={
        Who.NO_KEY: "Sans chiffrement",
        Who.KEY_ADDED: "Avec une clé, sans rien réécrire",
        Who.REWRITTEN: "Secrets réécrits avec la clé",
        Who.KEY_REMOVED: "Réécrits en clair, clé retirée",
    },
    what={What.GET: "lire le Secret par l’API", What.ETCD: "lire la valeur dans etcd"},
    answer={
        Outcome.READ: "lu",
        Outcome.PLAINTEXT: "en clair",
        Outcome.ENCRYPTED: "chiffré",
        Outcome.FORBIDDEN: "refusé (403)",
    },
    alarming=lambda attempt: attempt.ok == (attempt.what == What.ETCD),
)
