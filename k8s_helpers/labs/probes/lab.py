"""The lab `probes`, as the registry knows it."""

from ..lab import Lab

LAB = Lab(
    name="probes",
    title="Le même programme lent de six façons, prévu puis mesuré",
    folder="10_sondes",
)
