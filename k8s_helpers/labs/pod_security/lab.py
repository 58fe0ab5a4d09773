"""The lab `pod_security`, as the registry knows it."""

from ...providers.rights import Right
from ..attempts import AttemptLab

LAB = AttemptLab(
    name="pod_security",
    title="Les niveaux de sécurité des pods",
    folder="15_pour_aller_plus_loin",
    rights=(Right("patch", "", "namespaces"),),
)
