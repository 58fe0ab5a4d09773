"""The lab `namespaces`, as the registry knows it."""

from ...providers.rights import OWN, Right
from ..attempts import AttemptLab

LAB = AttemptLab(
    name="namespaces",
    title="Ce qu’un espace de noms sépare",
    folder="03_espaces_de_noms_et_pods",
    rights=(
        Right("create", "", "resourcequotas", OWN),
        Right("impersonate", "", "serviceaccounts", OWN),
    ),
)
