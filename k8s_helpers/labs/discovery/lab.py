"""The lab `discovery`, as the registry knows it."""

from ..attempts import AttemptLab

LAB = AttemptLab(
    name="discovery",
    title="Comment un pod trouve un Service",
    folder="02_architecture",
)
