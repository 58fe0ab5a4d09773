"""The lab `balancing`, as the registry knows it."""

from ..lab import Lab

LAB = Lab(
    name="balancing",
    title="La répartition des requêtes entre les pods d’un Service",
    folder="04_services_et_ingress",
)
