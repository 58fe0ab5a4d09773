"""The lab `cohabitation`, as the registry knows it."""

from ..lab import SLOWER_STARTS, Explained, Lab

LAB = Lab(
    name="cohabitation",
    title="Deux applications qui partagent un volume ou un pod",
    folder="03_espaces_de_noms_et_pods",
    explained={
        f"{name}.scale": Explained(f"{name} : passage à 3 pods", SLOWER_STARTS)
        for name in ("A", "B")
    },
)
