"""Opens the door of a Service port or of a pod's `hostPort`, for TCP or UDP."""

from __future__ import annotations

import asyncio

from ..network.sockets import Address, Sockets
from .affinity import Affinity
from .dialling import Dialler
from .door import Door
from .udp_door import UdpDoor


def open_door(
    protocol: str,
    address: Address,
    sockets: Sockets,
    dialler: Dialler,
    affinity: Affinity | None = None,
) -> Door | UdpDoor:
    """Return a door that refuses until it is led to somebody.

    Parameters
    ----------
    protocol : "TCP" or "UDP"
        What clients speak.
    address : tuple of str and int
        Where they connect.
    sockets : Sockets
        Of the network that they are in.
    dialler : Dialler
        Leads to the endpoints.
    affinity : Affinity, optional
        What the other doors of the same Service port remember of their clients too.

    Raises
    ------
    OSError
        The address cannot be bound (taken, or a port that only root may use).
    """
    loop = asyncio.get_running_loop()
    if protocol == "UDP":
        return UdpDoor(loop, lambda: sockets.datagram(bind=address), dialler, affinity)
    return Door(loop, sockets.listener(address), dialler, affinity)
