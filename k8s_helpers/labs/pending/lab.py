"""The lab `pending`, as the registry knows it."""

from ...providers.rights import Right
from ..lab import Lab

LAB = Lab(
    name="pending",
    title="Un pod qui demande plus qu’aucun nœud n’a",
    folder="08_ressources",
    rights=(Right("list", "", "nodes"),),
)
