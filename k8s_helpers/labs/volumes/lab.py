"""The lab `volumes`, as the registry knows it."""

from ..lab import Lab

LAB = Lab(
    name="volumes",
    title="Ce qui reste d’un fichier selon son volume",
    folder="13_volumes",
)
