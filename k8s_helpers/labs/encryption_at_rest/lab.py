"""The lab `encryption_at_rest`, as the registry knows it."""

from ..attempts import AttemptLab
from ..lab import Limit

LAB = AttemptLab(
    name="encryption_at_rest",
    title="Chiffrer les Secrets dans etcd",
    folder="06_configmaps_et_secrets",
    limits=(
        Limit(
            "existing",
            "Le serveur d’API et etcd sont à l’administrateur de ce cluster.",
            ("embedded",),
        ),
        Limit(
            "kind",
            "Le cours n’y change pas les options du serveur d’API, qui est un pod statique du nœud.",
            ("embedded",),
        ),
    ),
)
