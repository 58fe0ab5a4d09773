"""Whether images of registries can run on this machine: with their own files, and quickly."""

from __future__ import annotations

from embedded_kubernetes.node import isolation
from embedded_kubernetes.processes import CommandError

from .machine import Diagnosis

_FILES = "Images des registres"


def check_images() -> Diagnosis:
    """Try what a container of a real image needs: namespaces, and its layers mounted on each other."""
    if isolation.given_up():
        return judge_images(given_up=True)
    try:
        refused = isolation.refusals()
    except (CommandError, OSError) as error:
        return Diagnosis(_FILES, "limited", f"l’essai n’a pas pu être fait ({error})")
    return judge_images(refused)


def judge_images(refused: isolation.Refusals | None = None, *, given_up: bool = False) -> Diagnosis:
    """Say what the trial means for images that bring their own files.

    Parameters
    ----------
    refused : Refusals, optional
        What the trial met.
    given_up : bool
        Whether the user asked to do without namespaces.
    """
    if given_up or (refused is not None and refused.files is not None):
        return Diagnosis(
            _FILES,
            "limited",
            "sans espaces de noms, le cluster embarqué ne lance que host/python, host/java et host/shell, et ce qui "
            "est construit dessus",
            "Rien d’obligatoire : le cours s’en contente. Pour nginx ou redis, permettez les espaces de noms (voir "
            "ci-dessus), ou prenez kind.",
        )
    if refused is not None and refused.layers:
        return Diagnosis(
            _FILES,
            "limited",
            f"elles tournent, mais chaque conteneur copie les fichiers de son image ({refused.layers})",
            "Rien d’obligatoire : c’est plus lent et prend de la place. Désignez par K8S_HELPERS_HOME un dossier d’un "
            "disque ordinaire (ext4, xfs, btrfs, tmpfs) plutôt que d’un conteneur.",
        )
    return Diagnosis(
        _FILES, "ok", "elles tournent avec leurs propres fichiers, sans copie (overlayfs)"
    )
