"""Instants as the API writes them."""

from __future__ import annotations

import calendar
import time


def timestamp(wall_s: float) -> str:
    """Return an instant as `metav1.Time`: RFC 3339 in UTC, whole seconds."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(wall_s))


def timestamp_micro(wall_s: float) -> str:
    """Return an instant as `metav1.MicroTime`."""
    whole = int(wall_s)
    return (
        time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole))
        + f".{int((wall_s - whole) * 1e6):06d}Z"
    )


def seconds(text: str) -> float:
    """Return seconds since the epoch of an instant that the API wrote."""
    return float(calendar.timegm(time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S")))
