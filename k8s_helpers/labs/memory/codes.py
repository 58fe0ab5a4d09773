"""What recordings of this lab name: codes, for whoever reads them."""

from enum import StrEnum


class LeakMark(StrEnum):
    """What is marked in a run of the leak."""

    APPLY = "apply"
    REFUSED = "refused"
    """Something could not be read: its detail is what (`Unread`), a colon, and the cluster's words."""


class Unread(StrEnum):
    """What the cluster may not let us read."""

    LOGS = "logs"
    METRICS = "metrics"
