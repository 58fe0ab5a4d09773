"""The lab `storage`, as the registry knows it."""

from ..lab import Lab

LAB = Lab(
    name="storage",
    title="Un volume persistant, sa demande et sa classe",
    folder="13_volumes",
)
