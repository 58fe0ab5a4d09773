"""The lab `slow_update`, as the registry knows it."""

from ..lab import Lab

LAB = Lab(
    name="slow_update",
    title="La mise à jour du programme lent, avec et sans readiness",
    folder="10_sondes",
)
