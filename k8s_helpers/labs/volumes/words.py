"""What the lab `volumes` says in French."""

from __future__ import annotations

from collections.abc import Mapping

from ..._french import typeset
from ...measure.recording import Recording
from .codes import Disruption, WritePlace
from .summary import VolumesSummary

PLACES: Mapping[WritePlace, tuple[str, str]] = {
    WritePlace.ROOT: ("fichiers du conteneur", "/data, sans volume"),
    WritePlace.EMPTY_DIR: ("emptyDir", "né avec le pod"),
    WritePlace.HOST_PATH: ("hostPath", "un dossier du nœud"),
    WritePlace.CLAIM: ("PersistentVolumeClaim", "un volume à part"),
}
DISRUPTIONS: Mapping[Disruption, str] = {
    Disruption.CONTAINER: "le conteneur\na redémarré",
    Disruption.POD: "le pod a été\nsupprimé et refait",
    Disruption.CLAIM: "le pod et la demande\nont été refaits",
}
END_OF: Mapping[Disruption, str] = {
    Disruption.CONTAINER: "un redémarrage du conteneur",
    Disruption.POD: "la mort du pod",
    Disruption.CLAIM: "celle de la demande",
}
READ_ONLY = "écrire quand la racine\nest en lecture seule"
NOT_TRIED = typeset(
    "Racine en lecture seule : pas essayée ici, où le noyau refuse les espaces de noms qui l’imposeraient "
    "(docs/fidelite.md)."
)
TITLE = "Ce qui survit à quoi"
KEPT = {True: "toujours là", False: "perdu"}
ALLOWED = {True: "possible", False: "refusé"}


def verdict(summary: VolumesSummary) -> str:
    """Return how many places still have their file after each disruption."""
    numbers = ", ".join(
        f"{sum(kept.values())} après {END_OF[disruption]}"
        for disruption, kept in summary.survives.items()
    )
    return typeset(
        f"Sur {len(PLACES)} endroits, gardent leur fichier : {numbers or 'rien d’essayé'}."
    )


def alternative(recording: Recording, summary: VolumesSummary) -> str:
    """Return the board in sentences."""
    sentences = []
    for place, (title, words) in PLACES.items():
        facts = ", ".join(
            f"{DISRUPTIONS[disruption]} : {KEPT[kept[place]]}"
            for disruption, kept in summary.survives.items()
        )
        sentences.append(f"{title} ({words}) : {facts}.".replace("\n", " "))
    if summary.refused is not None:
        refused = ", ".join(PLACES[place][0] for place in summary.refused) or "rien"
        sentences.append(f"Racine en lecture seule, ce qui est refusé : {refused}.")
    if not summary.read_only_enforced:
        sentences.append(NOT_TRIED)
    return typeset(f"{TITLE}, {recording.where}. {verdict(summary)} " + " ".join(sentences))
