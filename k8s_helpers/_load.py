"""How much this machine has to do: what a check waits for may come later where that is much."""

from __future__ import annotations

import os

MOST = 4.0
"""Nobody waits longer than so many times what an idle machine needs."""


def slowness() -> float:
    """Return how many times longer than on an idle machine something may take here, from 1 to `MOST`.

    That is how many programs want a processor for each that there is, over the last minute; 1 where the system does
    not say.
    """
    try:
        wanting = os.getloadavg()[0]
    except (AttributeError, OSError):
        return 1.0
    return min(MOST, max(1.0, wanting / (os.cpu_count() or 1)))
