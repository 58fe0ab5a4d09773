"""The delays of a measured autoscaler beside Kubernetes' own."""

from __future__ import annotations

from .._french import seconds
from ..recording import Recording
from .table import Table

_DELAYS = {
    "stabilizationWindowSeconds": "attente avant de retirer des pods",
    "horizontal-pod-autoscaler-sync-period": "temps entre deux regards de l’autoscaler",
    "horizontal-pod-autoscaler-cpu-initialization-period": "processeur d’un pod neuf ignoré pendant",
    "horizontal-pod-autoscaler-initial-readiness-delay": "un pod neuf peut passer pour prêt après",
}
"""What each setting of Kubernetes means, in the order in which it is told."""


def shortened_table(recording: Recording) -> Table:
    """Return the delays of a measured autoscaler beside Kubernetes' own."""
    told = recording.runs[0].parameters["shortened"]
    rows = tuple(
        (meaning, seconds(told[name][0]), seconds(told[name][1]), name)
        for name, meaning in _DELAYS.items()
        if name in told
    )
    return Table("Délais raccourcis", ("délai", "ici", "par défaut", "réglage"), rows)
