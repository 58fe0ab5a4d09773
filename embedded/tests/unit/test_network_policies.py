"""NetworkPolicies: what they leave to pods, and the rules of nftables that say the same."""

import pytest

from embedded_kubernetes.node.policies.isolation import Pod, allowed, isolations, pods_of
from embedded_kubernetes.node.policies.nftables import Blocked, no_rules, ruleset

NAMESPACES = {"shop": {"team": "a"}, "bank": {"team": "b"}}
WEB = Pod("shop", {"app": "web"}, "10.244.0.2", (("http", "TCP", 8080),))
API = Pod("shop", {"app": "api"}, "10.244.0.3", (("http", "TCP", 9000),))
GUEST = Pod("bank", {"app": "guest"}, "10.244.0.4")
PODS = (WEB, API, GUEST)
OUTSIDE = "192.0.2.7"


def policy(pods, namespace="shop", **spec):
    return {
        "metadata": {"namespace": namespace, "name": "p"},
        "spec": {"podSelector": pods, **spec},
    }


def labels(**wanted):
    return {"matchLabels": wanted}


def into_web(*rules):
    """What other pods and the outside may connect to in `web`, of its ports 8080 and 9090."""
    isolated = isolations([policy(labels(app="web"), ingress=list(rules))], PODS, NAMESPACES)
    return {
        (source, port)
        for source in (API.address, GUEST.address, OUTSIDE)
        for port in (8080, 9090)
        if allowed(isolated, source, WEB.address, "TCP", port)
    }


def test_without_a_policy_everything_passes_and_with_an_empty_one_nothing():
    assert allowed({}, GUEST.address, WEB.address, "TCP", 1)
    assert into_web() == set()
    assert len(into_web({})) == 6


@pytest.mark.parametrize(
    ("rule", "passes"),
    [
        (
            {"from": [{"podSelector": labels(app="api")}]},
            {(API.address, 8080), (API.address, 9090)},
        ),
        # A pod selector alone chooses in the policy's own namespace.
        ({"from": [{"podSelector": labels(app="guest")}]}, set()),
        (
            {"from": [{"namespaceSelector": labels(team="b"), "podSelector": labels(app="guest")}]},
            {(GUEST.address, 8080), (GUEST.address, 9090)},
        ),
        (
            {"from": [{"namespaceSelector": labels(team="b"), "podSelector": labels(app="api")}]},
            set(),
        ),
        (
            {"from": [{"namespaceSelector": {}}], "ports": [{"port": "http"}]},
            {(API.address, 8080), (GUEST.address, 8080)},
        ),
        ({"ports": [{"port": "unknown"}]}, set()),
        ({"ports": [{"port": 8080, "protocol": "UDP"}]}, set()),
        (
            {"ports": [{"port": 9000, "endPort": 9100}]},
            {(API.address, 9090), (GUEST.address, 9090), (OUTSIDE, 9090)},
        ),
        (
            {"from": [{"ipBlock": {"cidr": "0.0.0.0/0", "except": ["10.244.0.0/16"]}}]},
            {(OUTSIDE, 8080), (OUTSIDE, 9090)},
        ),
    ],
)
def test_what_a_rule_lets_in(rule, passes):
    assert into_web(rule) == passes


def test_egress_is_isolated_where_it_is_named_or_has_rules():
    def out(spec, port=9000):
        isolated = isolations([policy(labels(app="web"), **spec)], PODS, NAMESPACES)
        return allowed(isolated, WEB.address, API.address, "TCP", port)

    assert out({})  # ingress alone
    assert not out({"policyTypes": ["Egress"]})
    assert not out({"egress": [{"to": [{"podSelector": labels(app="web")}]}]})
    named = {"egress": [{"ports": [{"port": "http"}]}]}
    assert out(named, 9000)  # the number that the name has in the other pod
    assert not out(named, 8080)


def test_policies_of_one_pod_add_up_and_a_pod_reaches_itself():
    isolated = isolations(
        [
            policy(labels(app="web")),
            policy(
                {"matchExpressions": [{"key": "app", "operator": "In", "values": ["web"]}]},
                ingress=[{"from": [{"podSelector": labels(app="api")}]}],
            ),
        ],
        PODS,
        NAMESPACES,
    )
    assert allowed(isolated, API.address, WEB.address, "TCP", 1)
    assert not allowed(isolated, GUEST.address, WEB.address, "TCP", 1)
    assert allowed(isolated, WEB.address, WEB.address, "TCP", 1)


def test_pods_without_an_address_of_their_own_are_none():
    def item(**status):
        return {
            "metadata": {"namespace": "shop", "name": "x"},
            "spec": {
                "hostNetwork": status.pop("host", False),
                "containers": [
                    {"ports": [{"name": "http", "containerPort": 80}, {"containerPort": 81}]}
                ],
            },
            "status": status,
        }

    items = [
        item(podIP="10.244.0.9", phase="Running"),
        item(phase="Pending"),
        item(podIP="10.244.0.8", phase="Succeeded"),
        item(podIP="10.244.255.1", phase="Running", host=True),
    ]
    assert pods_of(items) == (Pod("shop", {}, "10.244.0.9", (("http", "TCP", 80),)),)


def test_rules_of_nftables():
    spec = {
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [
            {
                "from": [
                    {"podSelector": labels(app="api")},
                    {"ipBlock": {"cidr": "192.0.2.0/24", "except": ["192.0.2.128/25"]}},
                ],
                "ports": [{"port": "http"}, {"port": 90, "endPort": 99}, {"protocol": "UDP"}],
            }
        ],
    }
    isolated = isolations([policy(labels(app="web"), **spec)], PODS, NAMESPACES)
    blocked = [Blocked("10.244.0.4", "10.96.0.20", "TCP", 80)]
    text = ruleset(isolated, "10.244.0.0/16", ("10.244.0.1",), blocked)
    chains = {
        part.split(" {", 1)[0]: [
            line.strip() for line in part.splitlines()[1:] if "}" not in line[:2]
        ]
        for part in text.split("\tchain ")[1:]
    }
    assert text.startswith(no_rules())
    api, block = "ip saddr { 10.244.0.3 }", "ip saddr 192.0.2.0/24 ip saddr != 192.0.2.128/25"
    assert chains["ingress_10_244_0_2"] == [
        *(
            f"{who} {what} return"
            for who in (api, block)
            for what in ("tcp dport 8080", "tcp dport 90-99", "meta l4proto udp")
        ),
        "drop",
    ]
    assert chains["egress_10_244_0_2"] == ["drop"]
    assert chains["checks"] == [
        "ct state established,related accept",
        "ip saddr != 10.244.0.0/16 accept",
        "ip saddr { 10.244.0.1 } accept",
        "ip saddr vmap { 10.244.0.2 : jump egress_10_244_0_2 }",
        "ip daddr vmap { 10.244.0.2 : jump ingress_10_244_0_2 }",
    ]
    assert chains["output"][-1] == chains["forward"][-1] == "jump checks"
    assert "10.244.0.4 . 10.96.0.20 . tcp . 80" in chains["input"][-1]
