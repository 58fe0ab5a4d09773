"""The lab `wordpress`, as the registry knows it."""

from ..attempts import AttemptLab

LAB = AttemptLab(
    name="wordpress",
    title="WordPress et MySQL dans deux pods",
    folder="03_espaces_de_noms_et_pods",
)
