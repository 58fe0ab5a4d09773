"""The lab `self_healing`, as the registry knows it."""

from ..lab import SLOWER_STARTS, Explained, Lab
from .codes import Disturbance

LAB = Lab(
    name="self_healing",
    title="Des écarts à l’état désiré, et comment le cluster les referme",
    folder="01_introduction",
    explained={
        f"{name}.recovery": Explained(f"{name} : retour à l’état désiré", SLOWER_STARTS)
        for name in Disturbance
    },
)
