"""What the lab `journey` says in French."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..._french import NO_BREAK, number, seconds, typeset
from ...measure.recording import Recording
from .summary import Passage, in_order

ACTORS: Mapping[str, str] = {
    "you": "Vous\n(kubectl)",
    "api": "API server\n+ etcd",
    "deployment": "Contrôleur\ndes Deployments",
    "replicaset": "Contrôleur\ndes ReplicaSets",
    "scheduler": "Scheduler",
    "kubelet": "Kubelet\n(du nœud)",
    "endpoints": "Contrôleur des\nEndpointSlices",
}
_AGENT = "Agent du nœud\n(rôle du kubelet)"
"""On the embedded cluster, whose node is the course's own."""

ANSWER = "répond : created"
STEPS: Mapping[str, str] = {
    "sent": "apply : Deployment",
    "accepted": "écrit l’objet dans etcd",
    "replicaset": "crée le ReplicaSet",
    "pod": "crée le pod, sans nœud",
    "scheduled": "lie le pod à un nœud",
    "started": "conteneur démarré",
    "ready": "sonde réussie : Ready",
    "endpoints": "ajoute l’adresse du pod au Service",
}


def actor(recording: Recording, name: str) -> str:
    """Return what stands at the head of an actor's line."""
    return _AGENT if name == "kubelet" and recording.provider == "embedded" else ACTORS[name]


def since(passage: Passage) -> str:
    """Return the time of a step."""
    if passage.step.kind == "sent":
        return "0"
    return f"+{NO_BREAK}{number(1000 * passage.since_s, 0)}{NO_BREAK}ms"


def verdict(passages: Sequence[Passage]) -> str:
    """Return when the pod was ready, and whether each did its part in its turn."""
    times = {passage.step.kind: passage.since_s for passage in passages}
    ready = f"prêt {seconds(times['ready'])} après le apply" if "ready" in times else "jamais prêt"
    turns = (
        "chacun regarde l’API et fait sa part, personne n’appelle personne"
        if in_order(passages)
        else "une étape a été écrite avant celle dont elle découle"
    )
    return typeset(f"Pod {ready} : {turns}")


def resolution(passages: Sequence[Passage]) -> str:
    """Return where the times come from, and how many of them the API itself tells apart."""
    stamps = {passage.stamp[:19] for passage in passages if passage.stamp}
    return typeset(
        "À gauche : réception de l’événement du watch (pointillés : ce qui réveille le composant), à quelques "
        "millisecondes près.\nÀ droite : l’heure UTC que l’API en garde, à la seconde ; "
        f"elle n’en distingue que {number(len(stamps))} pour {number(len(passages) - 1)} étapes."
    )


def alternative(recording: Recording, passages: Sequence[Passage]) -> str:
    """Return the diagram in sentences."""
    steps = " ; ".join(
        f"{since(passage)} {actor(recording, passage.step.actor)} {STEPS[passage.step.kind]}"
        for passage in passages
    )
    return typeset(
        f"Voyage d’un kubectl apply, {recording.where}. {verdict(passages)}. {steps}. {resolution(passages)}"
    ).replace("\n", " ")
