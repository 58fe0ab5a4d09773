"""The lab `components`, as the registry knows it."""

from ...providers.rights import Right
from ..lab import Lab

LAB = Lab(
    name="components",
    title="Les composants du cluster et ce que chacun fait tourner",
    rights=(
        Right("list", "", "nodes"),
        Right("list", "", "pods", "kube-system"),
    ),
)
