"""The lab `autoscaling`, as the registry knows it."""

from ..._autoscaler import KIND_METRICS_PERIOD_S
from ..lab import Explained, Lab

_SLOWER_METRICS = (
    f"metrics-server mesure toutes les {KIND_METRICS_PERIOD_S:g} s, l’agent du cluster embarqué quand l’autoscaler le "
    "demande"
)

LAB = Lab(
    name="autoscaling",
    title="Un autoscaler sous charge : prévision, décisions, réponses",
    folder="12_autoscaling",
    explained={
        "step.first-scale-up": Explained("step : premier ajout", _SLOWER_METRICS),
        "step.back-to-min": Explained("step : retour au minimum", _SLOWER_METRICS),
    },
)
