"""What a container's programs read of their limits below `/sys/fs/cgroup`, in both layouts of control groups. Pure.

The limits are held by this node and not by the kernel's control groups: what a program would find there of its use is
missing.
(source: `ResourceConfigForPod` and `MilliCPUToShares` of `pkg/kubelet/cm/helpers_linux.go`,
`ConvertCPUSharesToCgroupV2Value` of `opencontainers/cgroups`, docs.kernel.org, "Control Group v2")
"""

from __future__ import annotations

import math

from ..records import Object
from .resources import Limits, requested_cores

PERIOD_US = 100_000
_SHARES_A_CORE = 1024
_FEWEST_SHARES, _MOST_SHARES = 2, 262_144
_LEAST_QUOTA_US = 1000
_NO_LIMIT_BYTES = 9_223_372_036_854_771_712
"""What version 1 shows where memory has no limit: the largest number of whole pages."""


def cgroup_files(resources: Object, allowed: Limits) -> dict[str, str]:
    """Return the files of a container by their path below `/sys/fs/cgroup`.

    Parameters
    ----------
    resources : dict
        The container's.
    allowed : Limits
        What it may use, its pod's limits included.
    """
    quota_us = None
    if allowed.cpu_cores is not None:
        quota_us = max(round(allowed.cpu_cores * PERIOD_US), _LEAST_QUOTA_US)
    shares = _shares(requested_cores(resources))
    memory = allowed.memory_bytes
    files = {
        "cgroup.controllers": "cpu memory",
        "cpu.max": f"{'max' if quota_us is None else quota_us} {PERIOD_US}",
        "cpu.weight": str(_weight(shares)),
        "memory.max": "max" if memory is None else str(memory),
        "cpu/cpu.cfs_period_us": str(PERIOD_US),
        "cpu/cpu.cfs_quota_us": str(-1 if quota_us is None else quota_us),
        "cpu/cpu.shares": str(shares),
        "memory/memory.limit_in_bytes": str(_NO_LIMIT_BYTES if memory is None else memory),
    }
    return {path: f"{text}\n" for path, text in files.items()}


def _shares(cores: float) -> int:
    return min(max(int(cores * _SHARES_A_CORE), _FEWEST_SHARES), _MOST_SHARES)


def _weight(shares: int) -> int:
    """Return the weight of version 2 that stands for shares of version 1: 1 for 2, 100 for 1024, 10000 for the most."""
    power = math.log2(shares)
    exponent = (power * power + 125 * power) / 612 - 7 / 34
    return math.ceil(10**exponent)
