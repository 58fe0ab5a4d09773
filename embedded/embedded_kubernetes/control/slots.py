"""What several embedded clusters on one machine share out: slots (loopback blocks) and TCP ports.

A slot is held by an open socket, so the kernel gives it back whatever happens to its holder, and it is held against
the machine's other users too.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Collection, Sequence

from .. import paths
from ..config import SLOTS
from ..errors import ResourceError

_SLOT_PORT = 19443
_FIRST_PORT, _PORTS_A_SLOT = 20000, 100
"""Below 30000, where NodePorts begin, and below 32768, where Linux takes the ports of outgoing connections."""


def slot_address(slot: int) -> tuple[str, int]:
    """Return the address whose holder owns a slot: the last one of its Service block, which nobody else uses."""
    return (f"127.{96 + slot}.255.254", _SLOT_PORT)


def hold_slot(candidates: Sequence[int]) -> tuple[int, socket.socket]:
    """Take the first free slot; it is held as long as the socket is open.

    Parameters
    ----------
    candidates : sequence of int
        Slots to try, in order.

    Raises
    ------
    ResourceError
        None of them is free.
    """
    for slot in candidates:
        holder = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            holder.bind(slot_address(slot))
        except OSError:
            holder.close()
            continue
        return slot, holder
    command = paths.command()
    if len(candidates) == 1:
        found = f"sa plage d’adresses (n° {candidates[0]}) est prise par un autre cluster, peut-être d’un autre compte"
        advice = f"Arrêtez l’autre cluster, ou donnez un autre nom à celui-ci (« {command} up --name autre »)."
    else:
        found = f"les {len(candidates)} places de cette machine sont prises"
        advice = f"Arrêtez un cluster (« {command} status », « {command} down --name … »)."
    raise ResourceError("Réserver une plage d’adresses pour le cluster", found, advice)


def slot_candidates(claimed: Collection[int]) -> tuple[int, ...]:
    """Return the slots in the order to try for a new cluster: those of stopped clusters come last."""
    return tuple(sorted(range(SLOTS), key=lambda slot: (slot in claimed, slot)))


def port_is_free(port: int) -> bool:
    """Return whether a server could listen on 127.0.0.1 at this TCP port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do: connections that ended a moment ago do not count, listeners do.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            probe.listen(1)
        except OSError:
            return False
    return True


def choose_ports(
    slot: int,
    count: int,
    preferred: Sequence[int] = (),
    *,
    is_free: Callable[[int], bool] = port_is_free,
) -> tuple[int, ...]:
    """Choose ports of a slot's block that are free now.

    Parameters
    ----------
    slot : int
        The cluster's slot.
    count : int
        How many are needed.
    preferred : sequence of int
        The ports of the last time, in the same order: each is kept where it is free (0: none).
    is_free : callable
        Tells whether a port is free.

    Raises
    ------
    ResourceError
        The whole block does not have so many free ports.
    """
    first = _FIRST_PORT + slot * _PORTS_A_SLOT
    block = (
        port
        for port in range(first, first + _PORTS_A_SLOT)
        if port not in preferred and is_free(port)
    )
    chosen = []
    for index in range(count):
        kept = (preferred[index] or None) if index < len(preferred) else None
        port = kept if kept is not None and is_free(kept) else next(block, None)
        if port is None:
            raise ResourceError(
                "Choisir les ports du cluster",
                f"pas assez de ports libres entre {first} et {first + _PORTS_A_SLOT - 1} sur 127.0.0.1",
                "Cherchez qui les occupe (« ss -ltnp »), arrêtez-le, puis recommencez.",
            )
        chosen.append(port)
    return tuple(chosen)
