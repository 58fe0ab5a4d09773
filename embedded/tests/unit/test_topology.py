"""Which endpoints a client gets: conditions, near ones, its own node's, as kube-proxy decides it."""

import pytest

from embedded_kubernetes.node.proxy.topology import (
    Endpoint,
    Target,
    cluster_targets,
    endpoints,
    external_routes,
    internal_routes,
    local_targets,
)

NODES = {"a": "north", "b": "north", "c": "south"}


class Clients:
    """Knows the nodes of clients that are named after them."""

    def node_of(self, client):
        return client if client in NODES else None


def at(number, node="a", **more):
    return Endpoint(Target(f"10.244.0.{number}", 80), node, **more)


def ending(number, node="a"):
    return at(number, node, ready=False, terminating=True)


def hosts(targets):
    return [int(target.address.rsplit(".", 1)[1]) for target in targets]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([at(1), at(2, ready=False), ending(3)], [1]),
        ([at(2, ready=False), ending(3)], [3]),
        ([at(1, ready=False, serving=False, terminating=True)], []),
        ([], []),
    ],
)
def test_ready_ones_get_traffic_and_without_them_those_that_end(given, expected):
    assert hosts(cluster_targets(given, "a", "")) == expected


def hinted(number, nodes="", zones="", **more):
    return at(
        number, node_hints=frozenset(nodes.split()), zone_hints=frozenset(zones.split()), **more
    )


@pytest.mark.parametrize(
    ("given", "node", "expected"),
    [
        # Every ready endpoint must have a hint, and one of them this place's.
        ([hinted(1, "a"), hinted(2, "b")], "a", [1]),
        ([hinted(1, "a"), hinted(2, "b")], "c", [1, 2]),
        ([hinted(1, "a"), hinted(2)], "a", [1, 2]),
        ([hinted(1, "", "north"), hinted(2, "", "south")], "c", [2]),
        ([hinted(1, "a", "north"), hinted(2, "b", "north"), hinted(3, "c", "south")], "b", [2]),
        # No node hint for this one: its zone decides.
        ([hinted(1, "a", "north"), hinted(3, "c", "south")], "b", [1]),
        ([hinted(1, "a"), at(2, ready=False)], "a", [1]),
    ],
)
def test_near_ones_are_preferred_where_the_hints_are_complete(given, node, expected):
    assert hosts(cluster_targets(given, node, NODES[node])) == expected


def test_policy_local_leaves_a_node_its_own_endpoints():
    given = [at(1, "a"), at(2, "b"), ending(3, "c"), at(4, "c", ready=False)]
    assert [hosts(local_targets(given, node)) for node in "abcd"] == [[1], [2], [3], []]


def test_a_cluster_ip_leads_each_pod_by_its_own_node():
    given = (at(1, "a"), at(2, "b"))
    every = internal_routes(given, NODES, "a", local=False)
    assert not every.by_node
    local = internal_routes(given, NODES, "a", local=True)
    reached = {
        client: hosts(local.of(Clients(), client)) for client in ("a", "b", "c", "elsewhere")
    }
    assert reached == {"a": [1], "b": [2], "c": [], "elsewhere": [1]}
    assert hosts(sorted(local.targets)) == [1, 2]


def test_a_node_port_of_a_node_without_endpoints_is_closed_except_for_its_own_pods():
    given = (at(1, "a"), at(2, "b"))
    assert hosts(external_routes(given, NODES, "c", local=False).of(Clients(), "outside")) == [1, 2]
    local = external_routes(given, NODES, "c", local=True)
    assert local.of(Clients(), "outside") == local.of(Clients(), "a") == ()
    assert hosts(local.of(Clients(), "c")) == [1, 2]


def endpoint_slice(*shown, port=8080, name="", protocol="TCP", kind="IPv4"):
    return {
        "addressType": kind,
        "ports": [{"name": name, "port": port, "protocol": protocol}],
        "endpoints": list(shown),
    }


def test_slices_of_a_service_are_one_list_whoever_wrote_them():
    by_hand = endpoint_slice({"addresses": ["10.244.0.9"]})
    made = endpoint_slice(
        {
            "addresses": ["10.244.0.8"],
            "nodeName": "a",
            "conditions": {"ready": False, "serving": True, "terminating": True},
            "hints": {"forNodes": [{"name": "a"}], "forZones": [{"name": "north"}]},
        },
        {"addresses": ["10.244.0.9"], "conditions": {"ready": True}},
    )
    others = [
        endpoint_slice({"addresses": ["fd00::1"]}, kind="IPv6"),
        endpoint_slice({"addresses": ["10.244.0.7"]}, name="admin"),
        endpoint_slice({"addresses": ["10.244.0.6"]}, protocol="UDP"),
        {"addressType": "IPv4", "ports": None, "endpoints": None},
    ]
    read = endpoints("", "TCP", [by_hand, made, *others])
    assert [endpoint.target for endpoint in read] == [
        Target("10.244.0.8", 8080),
        Target("10.244.0.9", 8080),
    ]
    assert read[0].is_last_resort
    assert (read[0].node_hints, read[0].zone_hints) == ({"a"}, {"north"})
    assert read[1].ready
