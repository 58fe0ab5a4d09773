"""The lab `live_map`, as the registry knows it."""

from ..lab import Lab

LAB = Lab(
    name="live_map",
    title="La carte des objets d’un espace de noms",
    folder="05_etiquettes_et_annotations",
)
