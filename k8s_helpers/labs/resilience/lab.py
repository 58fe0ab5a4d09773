"""The lab `resilience`, as the registry knows it."""

from ..lab import Lab

LAB = Lab(
    name="resilience",
    title="Un service en appelle un autre, qui tombe en panne",
    folder="01_introduction",
)
