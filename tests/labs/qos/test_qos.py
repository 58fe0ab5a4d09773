"""The class of quality of service that a manifest makes expect."""

from __future__ import annotations

from typing import Any

import pytest

from embedded_kubernetes.quantities import parse
from k8s_helpers.labs.qos.forecast import qos_class

BOTH = {"cpu": "1", "memory": "1Gi"}


@pytest.mark.parametrize(
    ("containers", "expected"),
    [
        ([{}], "BestEffort"),
        ([{"requests": BOTH, "limits": BOTH}], "Guaranteed"),
        ([{"limits": BOTH}], "Guaranteed"),
        ([{"requests": BOTH}], "Burstable"),
        ([{"limits": {"memory": "1Gi"}}], "Burstable"),
        ([{"requests": {"cpu": "500m"}, "limits": BOTH}], "Burstable"),
        ([{"limits": BOTH}, {}], "Burstable"),
        ([{"requests": {"ephemeral-storage": "1Gi"}}], "BestEffort"),
        ([{"requests": {"cpu": 1}, "limits": BOTH}], "Guaranteed"),
        ([{"requests": BOTH, "limits": {"cpu": "1"}}], "Burstable"),
    ],
)
def test_the_class(containers: list[dict[str, Any]], expected: str) -> None:
    pod = {
        "spec": {"containers": [{"name": "c", "resources": resources} for resources in containers]}
    }
    assert qos_class(pod) == expected


def test_init_containers_count_as_the_others_do() -> None:
    guaranteed = [{"name": "c", "resources": {"limits": BOTH}}]
    init = [{"name": "i"}]
    assert qos_class({"spec": {"containers": guaranteed, "initContainers": init}}) == "Burstable"
    init = [{"name": "i", "resources": {"limits": BOTH}}]
    assert qos_class({"spec": {"containers": guaranteed, "initContainers": init}}) == "Guaranteed"
    assert qos_class({"spec": {"containers": [{"name": "c"}], "initContainers": init}}) == (
        "Burstable"
    )


def test_what_the_pod_says_as_a_whole_decides_alone() -> None:
    """`ComputePodQOS` of pkg/apis/core/v1/helper/qos/qos.go."""
    container = {"name": "c", "resources": {"requests": {"cpu": "1m"}}}
    whole = {"requests": BOTH, "limits": BOTH}
    assert qos_class({"spec": {"resources": whole, "containers": [container]}}) == "Guaranteed"


def test_quantities_as_the_api_writes_them() -> None:
    assert [float(parse(text)) for text in ("500m", "2", "4Gi", "64Mi")] == [
        0.5,
        2,
        4 << 30,
        64 << 20,
    ]
