"""What programs read of their limits."""

import pytest

from embedded_kubernetes.node.rules.cgroup_files import cgroup_files
from embedded_kubernetes.node.rules.resources import Limits


def files(request=None, memory=None, cpu=None):
    resources = {} if request is None else {"requests": {"cpu": request}}
    made = cgroup_files(resources, Limits(memory, cpu))
    assert all(text.endswith("\n") for text in made.values())
    return {path: text.strip() for path, text in made.items()}


def test_without_limits_everything_is_at_its_most():
    made = files()
    assert made["cpu.max"] == "max 100000"
    assert made["cpu/cpu.cfs_quota_us"] == "-1"
    assert made["memory.max"] == "max"
    assert made["memory/memory.limit_in_bytes"] == "9223372036854771712"
    assert (made["cpu.weight"], made["cpu/cpu.shares"]) == ("1", "2")


def test_limits_are_bytes_and_microseconds_of_a_period():
    made = files("250m", 64 << 20, 0.25)
    assert made["cpu.max"] == "25000 100000"
    assert made["cpu/cpu.cfs_quota_us"] == "25000"
    assert made["memory.max"] == made["memory/memory.limit_in_bytes"] == str(64 << 20)
    assert files(cpu=0.001)["cpu.max"] == "1000 100000"


@pytest.mark.parametrize(
    ("request_", "shares", "weight"), [("1", "1024", "100"), ("256", "262144", "10000")]
)
def test_requests_are_shares_and_weight(request_, shares, weight):
    made = files(request_)
    assert (made["cpu/cpu.shares"], made["cpu.weight"]) == (shares, weight)
