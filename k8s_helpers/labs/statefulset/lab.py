"""The lab `statefulset`, as the registry knows it."""

from ..lab import SLOWER_REPLACEMENTS, SLOWER_STARTS, Explained, Lab
from .codes import DatabaseVariant

LAB = Lab(
    name="statefulset",
    title="Un StatefulSet : noms, ordre et volumes de ses pods",
    folder="11_statefulsets",
    explained={
        **{
            f"{name}.replaced": Explained(f"{name} : remplacement", SLOWER_REPLACEMENTS)
            for name in DatabaseVariant
        },
        **{
            f"{name}.ready": Explained(f"{name} : tous prêts", SLOWER_STARTS)
            for name in (DatabaseVariant.PARALLEL, DatabaseVariant.DEPLOYMENT)
        },
    },
)
