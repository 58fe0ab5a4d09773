"""The lab `tracing`, as the registry knows it."""

from ..lab import Lab

LAB = Lab(
    name="tracing",
    title="Une requête suivie à travers deux services",
    folder="15_pour_aller_plus_loin",
)
