"""The lab `added_node`, as the registry knows it."""

from ..lab import Lab, Limit

LAB = Lab(
    name="added_node",
    title="Ajouter un nœud à un cluster qui tourne",
    folder="12_autoscaling",
    limits=(
        Limit(
            "existing",
            "Les machines de ce cluster sont à son administrateur : le cours n’en ajoute ni n’en retire.",
            ("embedded",),
        ),
        Limit(
            "kind",
            "kind fixe le nombre de nœuds à la création du cluster et ne sait pas en ajouter ensuite.",
            ("embedded",),
        ),
    ),
)
