"""What the generator is to do: the instants of a rate over time, and the order that says all the rest."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field


@dataclass(frozen=True)
class Order:
    """All that the generator needs to know; times in seconds, rates in requests per second.

    Attributes
    ----------
    points : tuple of (float, float)
        The rate over time, as `Profile.points`.
    max_in_flight : int
        A request that is due while so many wait for an answer is not sent.
    headers : mapping
        What each request carries.
    ca_file, cert_file, key_file, verify, server_hostname
        How the server is checked and who we are for it; for `https` alone.
    proxy, proxy_authorization : str or None
        URL of the HTTP proxy that leads there, and the header's value that it wants.
    expected : str
        What a good page contains.
    """

    url: str
    points: tuple[tuple[float, float], ...]
    timeout_s: float
    method: str
    keep_alive: bool
    max_requests: int
    max_duration_s: float
    max_in_flight: int
    headers: Mapping[str, str] = field(default_factory=dict)
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None
    verify: bool = True
    server_hostname: str | None = None
    proxy: str | None = None
    proxy_authorization: str | None = None
    expected: str = ""

    def to_json(self) -> str:
        """Return the order as one line."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, line: str | bytes) -> Order:
        """Read back what `to_json` wrote."""
        plain = json.loads(line)
        plain["points"] = tuple((at_s, rate) for at_s, rate in plain["points"])
        return cls(**plain)


def instants(points: Sequence[tuple[float, float]]) -> Iterator[float]:
    """Yield the planned instant of each request, in seconds from the start: at 0, then for ever.

    Request k leaves when the integral of the rate reaches k; the rate goes in straight lines between points.
    """
    due = 0.0
    """Integral still to go until the next request."""
    for (begin_s, rate), (end_s, next_rate) in zip(points, points[1:]):
        length_s = end_s - begin_s
        if length_s == 0:
            continue
        slope = (next_rate - rate) / length_s
        area = (rate + next_rate) / 2 * length_s
        while due < area:
            yield begin_s + _reach(due, rate, slope)
            due += 1
        due -= area
    last_s, rate = points[-1]
    if rate == 0:
        return
    first_s = last_s + due / rate
    count = 0
    while True:
        yield first_s + count / rate
        count += 1


def _reach(area: float, rate: float, slope: float) -> float:
    """Return when the integral of `rate + slope * t` reaches `area` (the stable root of the quadratic)."""
    if area == 0:
        return 0.0
    return 2 * area / (rate + math.sqrt(max(0.0, rate * rate + 2 * slope * area)))
