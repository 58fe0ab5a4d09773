"""The lab `canary`, as the registry knows it."""

from ..lab import Lab

LAB = Lab(
    name="canary",
    title="Une version canari à côté de la stable",
    folder="15_pour_aller_plus_loin",
)
