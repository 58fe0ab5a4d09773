"""What the embedded cluster cannot do besides, where the kernel refuses namespaces to its containers."""

from __future__ import annotations

from .base import Fact

WITHOUT_NAMESPACES = (
    Fact(
        "Chemins",
        False,
        "Les fichiers d’un conteneur sont dans un dossier de la machine, et ses chemins sont réécrits dans sa ligne de "
        "commande, ses variables et son dossier de travail. Un programme qui ouvre un chemin écrit dans son code ouvre "
        "celui de la machine : qu’il le prenne d’une variable, ou qu’il mette K8S_ROOT devant. /proc/mounts est celui "
        "de la machine.",
    ),
    Fact(
        "Lecture seule",
        False,
        "readOnlyRootFilesystem est refusé (CreateContainerConfigError, avec la raison) ; un volume monté en lecture "
        "seule peut être écrit, et l’événement NotEnforced le dit. L’expérience volumes laisse sa "
        "colonne de côté.",
    ),
    Fact(
        "Noms",
        False,
        "Une commande qui lit /etc/hosts voit celui du pod, et un programme Python y trouve les Services et son propre "
        "nom. Les autres programmes joignent les Services en HTTP (variable http_proxy) ; la commande hostname donne "
        "le nom de la machine.",
    ),
    Fact(
        "Processus",
        False,
        "Un conteneur voit les processus de la machine et n’a pas de processus n° 1 : un programme qui n’écoute pas "
        "SIGTERM s’arrête aussitôt, sans attendre la fin du délai de grâce.",
    ),
)
"""What is not so besides where the kernel refuses namespaces to the containers (isolation `prefix`)."""
