"""The lab `storage`, as the registry knows it."""

from ...providers.rights import Right
from ..lab import Lab

LAB = Lab(
    name="storage",
    title="Un volume persistant, sa demande et sa classe",
    folder="13_volumes",
    rights=(
        Right("list", "", "persistentvolumes"),
        Right("patch", "", "persistentvolumes"),
    ),
)
