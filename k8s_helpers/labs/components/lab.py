"""The lab `components`, as the registry knows it."""

from ..lab import Lab

LAB = Lab(
    name="components",
    title="Les composants du cluster et ce que chacun fait tourner",
)
