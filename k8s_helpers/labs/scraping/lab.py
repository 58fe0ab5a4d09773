"""The lab `scraping`, as the registry knows it."""

from ..lab import Lab

LAB = Lab(
    name="scraping",
    title="Des métriques relevées comme le fait Prometheus",
    folder="15_pour_aller_plus_loin",
)
