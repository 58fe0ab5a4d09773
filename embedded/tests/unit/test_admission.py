"""Which pods a node refuses that were bound to it."""

import pytest

from embedded_kubernetes.node.rules.admission import chooses_nodes, refusal_at_admission

ALLOCATABLE = {"cpu": "2", "memory": "4Gi", "pods": "110"}
LABELS = {"kubernetes.io/hostname": "node-1", "disk": "ssd", "rank": "7"}


def pod(*ports, **spec):
    return {"spec": {"containers": [{"name": "main", "ports": list(ports)}], **spec}}


def port(number, protocol="TCP", address=""):
    return {"containerPort": 80, "hostPort": number, "protocol": protocol, "hostIP": address}


def refusal(one, *others):
    return refusal_at_admission(one, others, LABELS, ALLOCATABLE)


@pytest.mark.parametrize(
    ("wanted", "used", "free"),
    [
        (port(80), port(80), False),
        (port(80), port(81), True),
        (port(80), port(80, "UDP"), True),
        (port(80, address="127.0.0.1"), port(80, address="127.0.0.2"), True),
        (port(80, address="127.0.0.1"), port(80), False),
        (port(80, address="0.0.0.0"), port(80, address="127.0.0.2"), False),
    ],
)
def test_a_port_of_the_node_is_one_pods(wanted, used, free):
    said = refusal(pod(wanted), pod(used))
    assert (said is None) == free
    if said is not None:
        assert said == (
            "NodePorts",
            "Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports",
        )


def term(key, operator, *values, field="matchExpressions"):
    expression = {"key": key, "operator": operator, "values": list(values)}
    required = {"nodeSelectorTerms": [{field: [expression]}]}
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}}


@pytest.mark.parametrize(
    ("spec", "fits"),
    [
        ({"nodeSelector": {"disk": "ssd"}}, True),
        ({"nodeSelector": {"disk": "hdd"}}, False),
        ({"affinity": term("disk", "In", "ssd", "hdd")}, True),
        ({"affinity": term("disk", "NotIn", "ssd")}, False),
        ({"affinity": term("zone", "DoesNotExist")}, True),
        ({"affinity": term("zone", "Exists")}, False),
        ({"affinity": term("rank", "Gt", "6")}, True),
        ({"affinity": term("disk", "Lt", "6")}, False),
        ({"affinity": term("metadata.name", "In", "node-1", field="matchFields")}, True),
    ],
)
def test_a_pod_may_choose_its_node(spec, fits):
    said = refusal(pod(**spec))
    assert chooses_nodes(spec)
    assert (said is None) == fits
    if said is not None:
        assert said[0] == "NodeAffinity"


def test_a_pod_that_chooses_nothing_fits():
    assert not chooses_nodes({})
    assert refusal(pod()) is None


def test_a_node_of_linux_runs_no_windows():
    said = refusal(pod(os={"name": "windows"}))
    assert said is not None and said[0] == "PodOSNotSupported"


def test_a_setting_of_the_kernel_that_is_not_a_pods_is_refused():
    said = refusal(pod(securityContext={"sysctls": [{"name": "kernel.msgmax", "value": "1"}]}))
    assert said is not None and said[0] == "SysctlForbidden"
