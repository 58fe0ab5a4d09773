"""The lab `capacity`, as the registry knows it."""

from ..lab import Lab

LAB = Lab(
    name="capacity",
    title="Le débit qu’un pod, puis plusieurs, peuvent soutenir",
    folder="14_pertinence",
)
