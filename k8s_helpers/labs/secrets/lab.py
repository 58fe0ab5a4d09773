"""The lab `secrets`, as the registry knows it."""

from ...providers.rights import OWN, Right
from ..attempts import AttemptLab

LAB = AttemptLab(
    name="secrets",
    title="Qui peut lire un Secret",
    folder="06_configmaps_et_secrets",
    rights=(Right("impersonate", "", "serviceaccounts", OWN),),
)
