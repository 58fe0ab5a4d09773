"""The lab `qos`, as the registry knows it."""

from ..lab import Lab

LAB = Lab(
    name="qos",
    title="Les classes de qualité de service",
    folder="08_ressources",
)
