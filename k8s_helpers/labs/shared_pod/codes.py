"""Codes of what is tried between two containers of the lab `shared_pod`."""

from enum import StrEnum


class Aspect(StrEnum):
    """What two containers of a pod may share."""

    NETWORK = "network"
    PORTS = "ports"
    VOLUME = "volume"
    ROOT = "root"
    PROCESSES = "processes"


SHARED_BY_DESIGN = frozenset({Aspect.NETWORK, Aspect.PORTS, Aspect.VOLUME})
"""What they do share in a pod, as Kubernetes promises."""

TAKEN, FREE = "EADDRINUSE", "free"
"""Details of `Aspect.PORTS`: what taking the same port a second time came to."""
