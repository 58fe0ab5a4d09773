"""The lab `quota`, as the registry knows it."""

from ..lab import Lab

LAB = Lab(
    name="quota",
    title="Un quota qui se remplit, et ses refus",
    folder="08_ressources",
)
