"""The class of quality of service that a manifest makes expect."""

from __future__ import annotations

from typing import Any

import pytest

from k8s_helpers.charts.resources import amount
from k8s_helpers.forecasts.qos import qos_class

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
    ],
)
def test_the_class(containers: list[dict[str, Any]], expected: str) -> None:
    pod = {"spec": {"containers": [{"name": "c", "resources": one} for one in containers]}}
    assert qos_class(pod) == expected


def test_quantities_as_the_api_writes_them() -> None:
    assert [amount(text) for text in ("500m", "2", "4Gi", "64Mi")] == [0.5, 2, 4 << 30, 64 << 20]
