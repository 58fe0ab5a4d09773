"""The lab `shared_pod`, as the registry knows it."""

from ..lab import SLOWER_ENDS, Explained, Lab

LAB = Lab(
    name="shared_pod",
    title="Deux conteneurs dans un même pod",
    folder="03_espaces_de_noms_et_pods",
    explained={
        "end": Explained("disparition", SLOWER_ENDS),
    },
)
