"""The lab `resize`, as the registry knows it."""

from ..lab import Lab

LAB = Lab(
    name="resize",
    title="Un pod agrandi en place, sans redémarrage",
    folder="12_autoscaling",
)
