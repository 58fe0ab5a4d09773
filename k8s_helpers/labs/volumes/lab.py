"""The lab `volumes`, as the registry knows it."""

from ..lab import Lab, Limit

LAB = Lab(
    name="volumes",
    title="Ce qui reste d’un fichier selon son volume",
    folder="13_volumes",
    limits=(
        Limit(
            "existing",
            "L’une des quatre places est un dossier du nœud, ce qu’un cluster partagé ne permet pas (hostPath).",
            ("embedded", "kind"),
        ),
    ),
)
