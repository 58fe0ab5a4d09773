"""The lab `ingress`, as the registry knows it."""

from ..attempts import AttemptLab

LAB = AttemptLab(
    name="ingress",
    title="Un Ingress, ses règles et son contrôleur",
    folder="04_services_et_ingress",
)
