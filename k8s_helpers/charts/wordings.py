"""The titles and verdicts of the experiments that are made of attempts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from .._french import typeset
from ..recording import Recording
from .attempts import Wording, attempts
from .figure import DescribedFigure


def _answers(recording: Recording) -> dict[tuple[str, str], str]:
    """Return each answer by who tried what."""
    return {(one.who, one.what): one.answer for run in recording.runs for one in run.attempts}


def _secrets(recording: Recording) -> str:
    refused = sum(answer == "403" for answer in _answers(recording).values())
    clear = "en clair" in _answers(recording).values()
    where = " ; dans etcd, il est en clair" if clear else ""
    return typeset(
        f"Le base64 ne protège rien ; RBAC a refusé {refused} lectures, mais pas celle d’un pod qui reçoit le Secret"
        f"{where}."
    )


def _encryption(recording: Recording) -> str:
    return typeset(
        "Donner une clé ne change que ce qui est écrit ensuite ; l’API, elle, déchiffre pour qui a le droit de lire."
    )


def _ingress(recording: Recording) -> str:
    answers = _answers(recording)
    reached = sum(answer in ("boutique", "blog") for answer in answers.values())
    nobody = answers.get(("Ingress perdu", "adresse dans son état")) == "aucune"
    lost = (
        " Sans contrôleur, un Ingress n’est qu’un objet : ni adresse, ni réponse." if nobody else ""
    )
    return typeset(
        f"{reached} requêtes menées à leur Service par l’en-tête Host et le chemin.{lost}"
    )


def _discovery(recording: Recording) -> str:
    missing = sum(answer == "absente" for answer in _answers(recording).values())
    return typeset(
        f"Le nom répond dans tous les pods ; la variable manque dans {missing} sur 3 : elle est écrite au démarrage."
    )


def _namespaces(recording: Recording) -> str:
    crossed = _answers(recording).get(("Pod de equipe-a", "adresse d’un pod de equipe-b")) == "v2"
    network = "le réseau, lui, passe" if crossed else "le réseau ne passe pas"
    return typeset(
        f"Noms, droits et quota sont propres à chaque espace de noms ; {network} de l’un à l’autre."
    )


def _network_policy(recording: Recording) -> str:
    answer = _answers(recording)["Politique « tout refuser »", "un pod appelle le serveur"]
    if answer == "répond":
        return typeset(
            "L’API accepte la politique et rien ne l’applique ici : il faut un plugin réseau qui le fasse."
        )
    return "Le plugin réseau de ce cluster applique la politique : le trafic ne passe plus."


def _pod_security(recording: Recording) -> str:
    refused = sum(answer == "refusé" for answer in _answers(recording).values())
    return typeset(
        f"{refused} pods refusés par leur niveau ; « warn » laisse passer et prévient ; un Deployment est accepté, "
        "ses pods non."
    )


WORDINGS: Mapping[str, Wording] = {
    "discovery": Wording("Comment un pod trouve un Service", _discovery, {}),
    "ingress": Wording(
        "Qui répond à quelle requête ?",
        _ingress,
        {
            "hotes": "Une règle par nom de machine",
            "chemins": "Un nom, deux chemins (l’application v2 est le blog)",
            "sans-controleur": "Une classe que personne ne sert",
        },
    ),
    "namespaces": Wording("Ce qu’un espace de noms garde pour lui", _namespaces, {}),
    "network_policy": Wording("Qui applique une NetworkPolicy ?", _network_policy, {}),
    "pod_security": Wording("Ce que chaque niveau de sécurité laisse entrer", _pod_security, {}),
    "secrets": Wording("Qui peut lire un Secret ?", _secrets, {}),
    "encryption_at_rest": Wording("Ce qu’etcd garde d’un Secret", _encryption, {}),
}
"""By `Recording.experiment`."""

FIGURES: Mapping[str, Callable[[Recording], DescribedFigure]] = {
    name: partial(attempts, wording=wording) for name, wording in WORDINGS.items()
}
