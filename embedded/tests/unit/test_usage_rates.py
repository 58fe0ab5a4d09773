"""From counters to `kubectl top`, and label selectors."""

import pytest

from embedded_kubernetes.node.servers.usage_rates import (
    Counter,
    Rate,
    UsageSample,
    choose_base,
    merge,
    node_rate,
    pod_rates,
    rate,
)
from embedded_kubernetes.selectors import selector_matches

KEY = ("ns", "web")


def test_rate_between_two_looks():
    before = Counter(100.0, 5.0, 10, 50.0)
    assert rate(Counter(105.0, 7.5, 20, 50.0), before) == Rate(0.5, 20)


def test_restarted_container_counts_from_its_start():
    before = Counter(100.0, 500.0, 10, 50.0)
    assert rate(Counter(105.0, 1.0, 20, 103.0), before) == Rate(0.5, 20)


def test_newborn_has_no_rate_yet():
    assert rate(Counter(100.0, 0.1, 20, 99.9), None) is None


def sample(wall_s, cpu_s, agent_s=0.0):
    web = {"web": Counter(wall_s, cpu_s, 100, 0.0)}
    return UsageSample(
        wall_s, {"n1": Counter(wall_s, agent_s, 10, 0.0)}, {KEY: web}, {KEY: "n1"}, {}
    )


def test_node_is_its_agent_and_its_containers():
    base, latest = sample(100.0, 1.0, 1.0), sample(110.0, 6.0, 2.0)
    assert pod_rates(base, latest, KEY) == {"web": Rate(0.5, 100)}
    assert node_rate(base, latest, "n1") == Rate(pytest.approx(0.6), 110)


def test_window_is_the_askers_rhythm_within_bounds():
    samples = [sample(at, 0.0) for at in (60.0, 90.0, 95.0, 99.0, 100.0)]
    assert choose_base(samples, 2.0, 30.0) is samples[2]
    assert choose_base(samples, 20.0, 30.0) is None
    assert choose_base(samples[-1:], 2.0, 30.0) is None


def test_summaries_of_nodes_become_one_sample():
    figures = {
        "cpu": {"time": "2026-01-01T00:00:10.500000Z", "usageCoreNanoSeconds": 2_500_000_000},
        "memory": {"workingSetBytes": 7},
        "startTime": "2026-01-01T00:00:00Z",
    }
    said = {
        "node": {"nodeName": "n1", "systemContainers": [{"name": "kubelet", **figures}]},
        "pods": [
            {"podRef": {"namespace": "ns", "name": "web"}, "containers": [{"name": "c", **figures}]}
        ],
    }
    pod = {"metadata": {"namespace": "ns", "name": "web", "labels": {"app": "web"}}}
    merged = merge(1.0, [said], [pod])
    counter = merged.pods[KEY]["c"]
    assert counter.wall_s - counter.started_wall_s == 10.5
    assert (counter.cpu_seconds, counter.memory_bytes) == (2.5, 7)
    assert merged.labels[KEY] == {"app": "web"}
    assert merged.node_of[KEY] == "n1"


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ("", True),
        ("app=web", True),
        ("app==web,tier!=front", True),
        ("app=web,tier=front", False),
        ("tier in (back, middle)", True),
        ("tier notin (back,middle)", False),
        ("absent notin (x)", True),
        ("app", True),
        ("!app", False),
        ("!absent , app = web", True),
        ("absent!=x", True),
        ("empty=", True),
    ],
)
def test_selectors(selector, expected):
    assert selector_matches(selector, {"app": "web", "tier": "back", "empty": ""}) is expected


@pytest.mark.parametrize("selector", ["=x", "a in b", "a=b=c", "a in (b", "a,,b"])
def test_bad_selectors(selector):
    with pytest.raises(ValueError):
        selector_matches(selector, {"a": "b"})
