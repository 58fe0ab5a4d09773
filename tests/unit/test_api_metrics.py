"""The API server's own figures, and requests made again by somebody else."""

from __future__ import annotations

import pytest

from benchmarks import api_metrics, class_load

PAGE = """
# TYPE apiserver_request_duration_seconds histogram
apiserver_request_duration_seconds_bucket{{verb="GET",le="0.1"}} {fast}
apiserver_request_duration_seconds_bucket{{verb="GET",le="0.2"}} {all}
apiserver_request_duration_seconds_bucket{{verb="GET",le="+Inf"}} {all}
apiserver_request_duration_seconds_bucket{{verb="WATCH",le="0.1"}} 0
apiserver_request_duration_seconds_bucket{{verb="WATCH",le="+Inf"}} {all}
# TYPE apiserver_request_total counter
apiserver_request_total{{code="429"}} 3
apiserver_request_total{{code="200"}} 99
# TYPE apiserver_longrunning_requests gauge
apiserver_longrunning_requests{{verb="WATCH"}} 12
"""


def test_what_is_between_two_readings_is_counted_without_watches() -> None:
    before = api_metrics.read(PAGE.format(fast=10, all=10))
    after = api_metrics.read(PAGE.format(fast=60, all=110))
    assert after.refused == 3 and after.watches == 12
    made = api_metrics.between(before, after)
    assert set(made) == {"GET"} and made["GET"][float("inf")] == 100
    assert api_metrics.quantile(made["GET"], 0.5) == pytest.approx(0.1)
    assert api_metrics.quantile(made["GET"], 0.75) == pytest.approx(0.15)
    assert api_metrics.quantile(made["GET"], 0.99) == pytest.approx(0.198)
    assert api_metrics.between(after, after) == {}


def test_another_student_asks_the_same_of_their_own_namespaces_and_runs_no_pod() -> None:
    pod = {"containers": [{"name": "a"}], "serviceAccountName": "x"}
    body = {
        "metadata": {"namespace": "w-etudiant-01-2", "resourceVersion": "7", "uid": "u"},
        "spec": {"template": {"spec": pod}},
    }
    made = class_load.mine(
        {"path": "/api/v1/namespaces/w-etudiant-01-2/pods", "body": body, "at_s": 1.5},
        "w-etudiant-01",
        "w-etudiant-30",
    )
    assert made["path"] == "/api/v1/namespaces/w-etudiant-30-2/pods" and made["at_s"] == 1.5
    assert made["body"]["metadata"] == {"namespace": "w-etudiant-30-2"}
    assert made["body"]["spec"]["template"]["spec"]["schedulerName"] == class_load.NOBODY
