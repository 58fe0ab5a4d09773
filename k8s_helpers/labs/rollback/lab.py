"""The lab `rollback`, as the registry knows it."""

from ..lab import SLOWER_STARTS, Explained, Lab

LAB = Lab(
    name="rollback",
    title="Le retour en arrière d’un déploiement",
    folder="07_manifestes_et_deploiements",
    explained={
        "no-probe.way-back": Explained("no-probe : retour", SLOWER_STARTS),
    },
)
