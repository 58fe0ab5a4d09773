"""What an experiment cannot show on some provider: it refuses, with the reason and the provider that can.

The badge under `connect()` and `docs/fidelite.md` are written from the same table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._errors import PlatformError
from ..providers.cannot_show import CANNOT_SHOW

if TYPE_CHECKING:
    from ..cluster import Cluster


def require(experiment: str, cluster: Cluster) -> None:
    """Go on where the cluster's provider can show the experiment.

    Parameters
    ----------
    experiment : str
        As its function is called ("component_stop").

    Raises
    ------
    PlatformError
        It cannot: says why, and which provider can.
    """
    for limit in CANNOT_SHOW:
        if (limit.experiment, limit.provider) == (experiment, cluster.provider.kind):
            others = " ou ".join(f"« {name} »" for name in limit.instead)
            raise PlatformError(
                f"{limit.title}, sur un cluster « {limit.provider} »",
                limit.reason,
                f'Refaites l’expérience sur un cluster {others} : connect(provider="{limit.instead[0]}").'
                if limit.instead
                else "Regardez l’enregistrement gardé dans recordings/ : k8s-lab replay.",
            )
