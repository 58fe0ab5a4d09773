"""The experiments that a provider cannot show, and why: one table for the refusal, the badge and the docs."""

from __future__ import annotations

from dataclasses import dataclass

from .base import ProviderName


@dataclass(frozen=True)
class CannotShow:
    """An experiment that a provider cannot show.

    Attributes
    ----------
    experiment : str
        Its function in `k8s_helpers.experiments`.
    title : str
        What it is, as a French noun phrase with capital ("Arrêter un composant du plan de contrôle").
    reason : str
        One French sentence.
    instead : tuple of ProviderName
        The providers that can; the kept recording where there is none.
    """

    experiment: str
    title: str
    provider: ProviderName
    reason: str
    instead: tuple[ProviderName, ...]


CANNOT_SHOW: tuple[CannotShow, ...] = (
    CannotShow(
        "added_node",
        "Ajouter un nœud à un cluster qui tourne",
        "existing",
        "Les machines de ce cluster sont à son administrateur : le cours n’en ajoute ni n’en retire.",
        ("embedded",),
    ),
    CannotShow(
        "added_node",
        "Ajouter un nœud à un cluster qui tourne",
        "kind",
        "kind fixe le nombre de nœuds à la création du cluster et ne sait pas en ajouter ensuite.",
        ("embedded",),
    ),
    CannotShow(
        "component_stop",
        "Arrêter un composant du plan de contrôle",
        "existing",
        "Le plan de contrôle de ce cluster sert à d’autres et n’appartient pas au cours : on n’y touche pas.",
        ("embedded", "kind"),
    ),
    CannotShow(
        "encryption_at_rest",
        "Chiffrer les Secrets dans etcd",
        "existing",
        "Le serveur d’API et etcd sont à l’administrateur de ce cluster.",
        ("embedded",),
    ),
    CannotShow(
        "encryption_at_rest",
        "Chiffrer les Secrets dans etcd",
        "kind",
        "Le cours n’y change pas les options du serveur d’API, qui est un pod statique du nœud.",
        ("embedded",),
    ),
)
"""Experiments refuse by this table, and the badge and `docs/fidelite.md` show it."""
