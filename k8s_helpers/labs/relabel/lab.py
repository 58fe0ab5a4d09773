"""The lab `relabel`, as the registry knows it."""

from ..lab import SLOWER_STARTS, Explained, Lab

LAB = Lab(
    name="relabel",
    title="Un pod à qui l’on change une étiquette",
    folder="05_etiquettes_et_annotations",
    explained={"replaced": Explained("remplaçant prêt", SLOWER_STARTS)},
)
