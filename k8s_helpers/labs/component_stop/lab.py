"""The lab `component_stop`, as the registry knows it."""

from ..lab import LEASE, Explained, Lab, Limit
from .codes import StoppedComponent

LAB = Lab(
    name="component_stop",
    title="Arrêter un composant du plan de contrôle",
    folder="02_architecture",
    limits=(
        Limit(
            "existing",
            "Le plan de contrôle de ce cluster sert à d’autres et n’appartient pas au cours : on n’y touche pas.",
            ("embedded", "kind"),
        ),
    ),
    explained={
        f"{name}.catch-up": Explained(f"{name} : rattrapage", LEASE) for name in StoppedComponent
    },
)
