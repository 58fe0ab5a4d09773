"""What share of the requests a canary gets, and by how much chance alone moves it. Pure."""

from __future__ import annotations

import math
from statistics import NormalDist

CONFIDENCE = 0.999
"""Of the interval: a measure outside it happens once in a thousand."""


def share_interval(
    share: float, requests: int, confidence: float = CONFIDENCE
) -> tuple[float, float]:
    """Return the interval in which the measured share of a canary lies.

    Each connection goes to a ready pod taken at random, independently of the others: the number that reaches the
    canary follows a binomial law, of which this is the normal approximation with its continuity correction.

    Parameters
    ----------
    share : float
        Of the canary's pods among all, 0 to 1.
    requests : int
        How many are sent, each on a connection of its own.
    confidence : float
        Probability that the measure lies in the interval.

    Source: https://kubernetes.io/docs/reference/networking/virtual-ips/#proxy-mode-iptables (a backend is chosen at
    random)
    """
    if requests <= 0:
        return 0.0, 1.0
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    spread = z * math.sqrt(share * (1 - share) / requests) + 0.5 / requests
    return max(0.0, share - spread), min(1.0, share + spread)
