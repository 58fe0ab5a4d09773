"""What recordings of the lab `autoscaling` are written in."""

from __future__ import annotations

from enum import StrEnum


class LoadShape(StrEnum):
    """How a load goes over time; the run has its name."""

    STEP = "step"
    RAMP = "ramp"
    PEAK = "peak"
    SAW_TOOTH = "saw-tooth"
    CUSTOM = "custom"


class LoadMark(StrEnum):
    """When the load begins and ends."""

    BEGIN = "load"
    END = "load-end"


class Metric(StrEnum):
    """Names of samples: what the autoscaler says of itself, and what its pods use."""

    CURRENT = "hpa_current"
    DESIRED = "hpa_desired"
    PERCENT = "hpa_percent"
    CPU_CORES = "cpu_cores"
