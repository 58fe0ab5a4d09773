"""The lab `broken_probes`, as the registry knows it."""

from ..lab import Lab

LAB = Lab(
    name="broken_probes",
    title="Des sondes mal écrites, et ce qu’elles cassent",
    folder="10_sondes",
)
