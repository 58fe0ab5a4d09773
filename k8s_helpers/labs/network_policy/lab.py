"""The lab `network_policy`, as the registry knows it."""

from ..attempts import AttemptLab

LAB = AttemptLab(
    name="network_policy",
    title="Une NetworkPolicy, et qui l’applique",
    folder="15_pour_aller_plus_loin",
    varying=frozenset({"politique.deny-all.call-server"}),  # who enforces it is what is measured
)
