"""The lab `quota`, as the registry knows it."""

from ...providers.rights import OWN, Right
from ..lab import Lab

LAB = Lab(
    name="quota",
    title="Un quota qui se remplit, et ses refus",
    folder="08_ressources",
    rights=(
        Right("create", "", "resourcequotas", OWN),
        Right("create", "", "limitranges", OWN),
    ),
)
