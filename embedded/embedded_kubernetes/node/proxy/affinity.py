"""`sessionAffinity: ClientIP`: each client of a Service port keeps its endpoint.

The doors of a Service port and the HTTP proxy ask the same memory, so that one client has one endpoint whichever way
it comes. (source: `sessionAffinity` rules of `k8s.io/kubernetes/pkg/proxy/iptables/proxier.go`)
"""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")

_CLIENTS = 4096
"""More are forgotten, the longest silent first: Services see a pod or two for each student, not the internet."""


class Affinity:
    """What one Service port remembers of its clients."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[object, float]] = {}

    def choose(self, client: str, targets: Sequence[T], timeout_s: float | None) -> T:
        """Return the endpoint for a client's new connection.

        Parameters
        ----------
        client : str
            What tells clients apart: an address.
        targets : sequence
            The endpoints that get traffic now; at least one.
        timeout_s : float or None
            How long a client that is silent is remembered; None for no affinity.
        """
        if timeout_s is None:
            return random.choice(targets)
        now = time.monotonic()
        known, until = self._kept.pop(client, (None, 0.0))
        target = next(
            (candidate for candidate in targets if candidate == known and now <= until), None
        )
        if target is None:
            target = random.choice(targets)
        self._kept[client] = (target, now + timeout_s)
        if len(self._kept) > _CLIENTS:
            del self._kept[next(iter(self._kept))]
        return target
