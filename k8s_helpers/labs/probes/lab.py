"""The lab `probes`, as the registry knows it."""

from ..lab import Lab

LAB = Lab(
    name="probes",
    title="Le même programme lent avec cinq façons de le sonder, prévu puis mesuré",
    folder="10_sondes",
)
