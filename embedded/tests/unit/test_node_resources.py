from fractions import Fraction

import pytest

from embedded_kubernetes.node.rules.resources import (
    Limits,
    MemoryUse,
    field_value,
    limits,
    memory_limit_of_pod,
    must_restart,
    refusal_of_decrease,
    refusal_of_resize,
    requested,
    resize_message,
    shortage_at_admission,
    whole,
)
from embedded_kubernetes.quantities import milli, parse, parse_bytes

NODE = {"cpu": "2", "memory": "4Gi"}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2", 2),
        ("250m", Fraction(1, 4)),
        ("1.5", Fraction(3, 2)),
        (".5", Fraction(1, 2)),
        ("1Ki", 1024),
        ("4Gi", 4 << 30),
        ("64Mi", 64 << 20),
        ("1k", 1000),
        ("1e3", 1000),
        ("1E3", 1000),
        ("1e-3", Fraction(1, 1000)),
        ("1E", 10**18),
        ("500M", 500 * 10**6),
        ("128974848", 128974848),
        ("2.", 2),
        ("+3u", Fraction(3, 10**6)),
        ("0.5Ti", 2**39),
        ("100n", Fraction(1, 10**7)),
        ("-1Gi", -(2**30)),
    ],
)
def test_quantities_are_read_exactly(text, value):
    assert parse(text) == value


@pytest.mark.parametrize(
    "text", ["", "1 Gi", "Gi", "1kb", "1e", "1.2.3", "1e3Ki", "1K", "1mi", "٣"]
)
def test_what_is_no_quantity_is_refused(text):
    with pytest.raises(ValueError, match="quantities must match"):
        parse(text)


def test_rounding_goes_up():
    assert parse_bytes("0.5") == 1
    assert milli(Fraction(1, 3)) == 334


def test_limits_of_a_container():
    assert limits({}) == Limits(None, None)
    said = {"limits": {"memory": "1Mi", "cpu": "250m"}, "requests": {"cpu": "1"}}
    assert limits(said) == Limits(1048576, 0.25)


@pytest.mark.parametrize(
    ("reference", "text"),
    [
        ({"resource": "limits.cpu"}, "1"),
        ({"resource": "limits.cpu", "divisor": "1m"}, "250"),
        ({"resource": "requests.cpu"}, "0"),
        ({"resource": "limits.memory"}, "4294967296"),
        ({"resource": "limits.memory", "divisor": "3Gi"}, "2"),
    ],
)
def test_resource_fields_are_rounded_up_and_default_to_the_node(reference, text):
    assert field_value(reference, {"limits": {"cpu": "250m"}}, NODE) == text


def container(cpu, name="main", **more):
    return {"name": name, "resources": {"requests": {"cpu": cpu}}, **more}


def pod(*containers, inits=(), **spec):
    return {
        "metadata": {"uid": "u", "generation": 3},
        "spec": {"containers": list(containers), "initContainers": list(inits), **spec},
    }


def test_a_pod_asks_for_its_sum_or_its_largest_init_container():
    assert requested(pod(container("1"), container("2")), "cpu") == 3
    assert requested(pod(container("1"), inits=[container("4"), container("2")]), "cpu") == 4
    sidecar = container("1", restartPolicy="Always")
    assert requested(pod(container("1"), inits=[sidecar, container("2")]), "cpu") == 3
    assert requested(pod(container("1"), inits=[sidecar]), "cpu") == 2
    limited = {"name": "main", "resources": {"limits": {"cpu": "2"}}}
    assert requested(pod(limited), "cpu") == 2


def test_a_resize_is_refused_for_good_or_for_now():
    infeasible = refusal_of_resize(pod(container("3")), [], NODE)
    assert infeasible.reason == "Infeasible"
    assert infeasible.message == (
        "Node didn't have enough capacity: cpu, requested: 3000, capacity: 2000"
    )
    deferred = refusal_of_resize(pod(container("1500m")), [pod(container("1"))], NODE)
    assert deferred.reason == "Deferred"
    assert deferred.message.endswith("cpu, requested: 1500, used: 1000, capacity: 2000")
    assert refusal_of_resize(pod(container("1")), [pod(container("1"))], NODE) is None


def test_a_pod_that_does_not_fit_is_not_admitted():
    reason, message = shortage_at_admission(pod(container("2")), [pod(container("100m"))], NODE)
    assert reason == "OutOfcpu"
    assert message.endswith("cpu, requested: 2000, used: 100, capacity: 2000")
    assert shortage_at_admission(pod({"name": "main"}), [pod(container("9"))], NODE) is None


def test_a_resize_policy_asks_for_a_restart_of_its_own_resource_only():
    policy = [{"resourceName": "memory", "restartPolicy": "RestartContainer"}]
    spec = {"name": "main", "resizePolicy": policy}
    small, more_cpu = (
        {"limits": {"memory": "1", "cpu": "1"}},
        {"limits": {"memory": "1", "cpu": "2"}},
    )
    assert not must_restart(spec, small, more_cpu)
    assert must_restart(spec, small, {"limits": {"memory": "2", "cpu": "1"}})


def test_resize_events_name_the_resources_wanted():
    one = {"metadata": {"generation": 2}, "spec": {"containers": [container("1")]}}
    assert resize_message("Pod resize started", one) == (
        'Pod resize started: {"containers":[{"name":"main","resources":{"requests":{"cpu":"1"}}}],'
        '"generation":2}'
    )


# Memory that is in use, and pods as a whole


def use(before, after, used, name="app"):
    return MemoryUse(name, before, after, used)


@pytest.mark.parametrize(
    ("of_pod", "uses", "words"),
    [
        ((None, None), [use(300, 100, 99)], None),
        ((None, None), [use(100, 200, 150)], None),
        ((None, None), [use(100, None, 150)], None),
        (
            (None, None),
            [use(300, 100, 120), use(50, 50, 40, "b")],
            'attempting to set container "app" memory limit (100) below current usage (160)',
        ),
        (
            (None, None),
            [use(None, 100, 100)],
            'attempting to set container "app" memory limit (100) below current usage (100)',
        ),
        (
            (300, 100),
            [use(300, 100, 120)],
            "[attempting to set pod memory limit (100) below current usage (120), "
            'attempting to set container "app" memory limit (100) below current usage (120)]',
        ),
    ],
)
def test_memory_in_use_is_not_taken_away(of_pod, uses, words):
    said = refusal_of_decrease(of_pod, uses)
    assert said == (None if words is None else f"cannot decrease memory limits: {words}")


def test_a_container_without_limits_has_those_of_its_pod():
    of_pod = {"limits": {"memory": "64Mi", "cpu": "1"}}
    assert limits({}, of_pod) == Limits(64 << 20, 1.0)
    assert limits({"limits": {"memory": "32Mi"}}, of_pod) == Limits(32 << 20, 1.0)


def test_the_memory_limit_of_a_pod_is_its_own_or_the_sum_of_all():
    each = [{"limits": {"memory": "1Mi"}}, {"limits": {"memory": "2Mi"}}]
    assert memory_limit_of_pod({}, each) == 3 << 20
    assert memory_limit_of_pod({}, [*each, {}]) is None
    assert memory_limit_of_pod({"limits": {"memory": "9Mi"}}, [{}]) == 9 << 20


def test_the_resources_of_a_whole_pod():
    small = {"requests": {"cpu": "250m", "memory": "1Mi"}, "limits": {"cpu": "0.5"}}
    large = {"requests": {"cpu": "750m"}, "limits": {"cpu": "1", "memory": "1Gi"}}
    pod = {"spec": {"containers": [{"resources": small}, {"resources": large}]}}
    assert whole(pod) == {"requests": {"cpu": "1", "memory": "1025Mi"}, "limits": {"cpu": "1500m"}}
    own = {"requests": {"cpu": "2"}, "limits": {"memory": "4Gi"}}
    assert whole({"spec": {"containers": [{}], "resources": own}}) == own
    assert whole({"spec": {"containers": [{}]}}) == {}
