"""What recordings of the lab `quota` are written in."""

from __future__ import annotations

from enum import StrEnum


class QuotaRun(StrEnum):
    """What is tried under a quota: to fill it, to ask for nothing, to ask for nothing beside a LimitRange."""

    FILL = "quota"
    NO_REQUESTS = "no-requests"
    LIMIT_RANGE = "limitrange"
