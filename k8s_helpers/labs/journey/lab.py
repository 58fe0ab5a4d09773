"""The lab `journey`, as the registry knows it."""

from ..lab import SLOWER_STARTS, Explained, Lab

LAB = Lab(
    name="journey",
    title="Le trajet d’un Deployment, du apply au pod prêt",
    folder="02_architecture",
    explained={"apply-to-ready": Explained("du apply à Ready", SLOWER_STARTS)},
)
