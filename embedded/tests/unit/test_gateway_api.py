"""Gateways and HTTPRoutes: what they amount to, by the rules of Gateway API's own specification."""

import copy

import pytest

from embedded_kubernetes.config import GATEWAY_CONTROLLER
from embedded_kubernetes.node.ingress.gateway_api import GatewayObjects, evaluate, with_times
from embedded_kubernetes.node.ingress.http_routes import (
    RouteMatch,
    RouteRequest,
    RouteRule,
    Turns,
    WeightedBackend,
    changed_headers,
    common_host,
    find_rule,
    redirection,
    rewritten,
)
from embedded_kubernetes.node.ingress.ingress_rules import Backend

CLASS = {"metadata": {"name": "cours"}, "spec": {"controllerName": GATEWAY_CONTROLLER}}
HTTP = {"name": "http", "protocol": "HTTP", "port": 80}
HTTPS = {
    "name": "https",
    "protocol": "HTTPS",
    "port": 443,
    "tls": {"certificateRefs": [{"name": "certificate"}]},
}


def gateway(*listeners, class_name="cours"):
    return {
        "metadata": {"name": "gate", "namespace": "ns", "generation": 3},
        "spec": {"gatewayClassName": class_name, "listeners": list(listeners or (HTTP,))},
    }


def route(*rules, hosts=("a.example",), name="r", namespace="ns", parent=None, created="1"):
    return {
        "metadata": {
            "name": name,
            "namespace": namespace,
            "generation": 7,
            "creationTimestamp": created,
        },
        "spec": {
            "parentRefs": [{"name": "gate", "namespace": "ns", **(parent or {})}],
            "hostnames": list(hosts),
            "rules": list(rules or ({"backendRefs": [{"name": "web", "port": 80}]},)),
        },
    }


def evaluated(*routes, gateways=None, grants=(), faults=None, services=("ns/web", "ns/canary")):
    return evaluate(
        GatewayObjects(
            classes=[CLASS],
            gateways=[gateway()] if gateways is None else gateways,
            routes=routes,
            grants=grants,
            namespaces={"other": {"team": "blue"}},
            certificate_fault=lambda key: (faults or {}).get("/".join(key), ""),
            has_port=lambda key, number: ("/".join(key) in services, number == 80),
        )
    )


def conditions(status):
    return {one["type"]: (one["status"], one["reason"]) for one in status["conditions"]}


def parent_of(result, name="r", namespace="ns"):
    (parent,) = result.statuses["httproutes", (namespace, name)]["parents"]
    return conditions(parent)


def asked(path="/", host="a.example", method="GET", headers=None, query=None, secure=False):
    return RouteRequest(secure, host, path, method, headers or {}, query or {})


def service(result, request):
    rule = find_rule(result.rules, request)
    return rule and rule.backends[0].backend and rule.backends[0].backend.service


def test_all_conditions_are_true_where_nothing_is_wrong():
    result = evaluated(route())
    status = result.statuses["gateways", ("ns", "gate")]
    assert conditions(status) == {
        "Accepted": ("True", "Accepted"),
        "Programmed": ("True", "Programmed"),
    }
    (listener,) = status["listeners"]
    assert listener["attachedRoutes"] == 1
    assert {said for said, _ in conditions(listener).values()} == {"True"}
    assert parent_of(result) == {
        "Accepted": ("True", "Accepted"),
        "ResolvedRefs": ("True", "ResolvedRefs"),
    }
    (accepted,) = result.statuses["gatewayclasses", ("", "cours")]["conditions"]
    assert accepted["reason"] == "Accepted"
    assert service(result, asked()) == "web"


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"parent": {"sectionName": "https"}}, "NoMatchingParent"),
        ({"parent": {"port": 443}}, "NoMatchingParent"),
        ({"namespace": "other"}, "NotAllowedByListeners"),
    ],
)
def test_a_route_that_no_listener_takes_is_told_why(changed, reason):
    result = evaluated(route(**changed), services=("ns/web", "other/web"))
    namespace = changed.get("namespace", "ns")
    assert parent_of(result, namespace=namespace)["Accepted"] == ("False", reason)
    assert not result.rules


def test_a_hostname_that_listener_and_route_do_not_share():
    result = evaluated(route(), gateways=[gateway({**HTTP, "hostname": "*.b.example"})])
    assert parent_of(result)["Accepted"] == ("False", "NoMatchingListenerHostname")


@pytest.mark.parametrize(
    ("where", "attached"),
    [
        ({"from": "All"}, True),
        ({"from": "Selector", "selector": {"matchLabels": {"team": "blue"}}}, True),
        ({"from": "Selector", "selector": {"matchLabels": {"team": "red"}}}, False),
        ({"from": "Same"}, False),
    ],
)
def test_namespaces_that_a_listener_lets_in(where, attached):
    listener = {**HTTP, "allowedRoutes": {"namespaces": where}}
    result = evaluated(
        route(namespace="other"), gateways=[gateway(listener)], services=("other/web",)
    )
    assert bool(result.rules) is attached


@pytest.mark.parametrize(
    ("backend", "reason"),
    [
        ({"name": "nobody", "port": 80}, "BackendNotFound"),
        ({"name": "web", "port": 81}, "BackendNotFound"),
        ({"name": "web", "port": 80, "namespace": "other"}, "RefNotPermitted"),
        ({"name": "web", "port": 80, "kind": "ConfigMap"}, "InvalidKind"),
    ],
)
def test_a_backend_that_leads_nowhere_is_said_and_answers_500(backend, reason):
    result = evaluated(route({"backendRefs": [backend]}))
    assert parent_of(result)["ResolvedRefs"] == ("False", reason)
    assert parent_of(result)["Accepted"] == ("True", "Accepted")
    assert result.rules[0].backends == (WeightedBackend(1, None),)


def test_a_reference_grant_opens_another_namespace():
    grant = {
        "metadata": {"namespace": "other", "name": "g"},
        "spec": {
            "from": [{"group": "x", "kind": "HTTPRoute", "namespace": "ns"}],
            "to": [{"group": "", "kind": "Service", "name": "web"}],
        },
    }
    backend = {"name": "web", "port": 80, "namespace": "other"}
    result = evaluated(route({"backendRefs": [backend]}), grants=[grant], services=("other/web",))
    assert parent_of(result)["ResolvedRefs"] == ("True", "ResolvedRefs")


@pytest.mark.parametrize(
    ("listener", "kind", "reason"),
    [
        ({**HTTP, "port": 8080}, "Accepted", "PortUnavailable"),
        ({**HTTP, "protocol": "UDP"}, "Accepted", "UnsupportedProtocol"),
        ({**HTTPS, "tls": {}}, "ResolvedRefs", "InvalidCertificateRef"),
        ({**HTTPS, "tls": {"certificateRefs": [{"name": "bad"}]}}, "ResolvedRefs", "InvalidCertificateRef"),
        (
            {**HTTPS, "tls": {"certificateRefs": [{"name": "c", "namespace": "other"}]}},
            "ResolvedRefs",
            "RefNotPermitted",
        ),
    ],
)  # fmt: skip
def test_a_listener_that_cannot_be_served(listener, kind, reason):
    result = evaluated(route(), gateways=[gateway(listener)], faults={"ns/bad": "secret not found"})
    status = result.statuses["gateways", ("ns", "gate")]
    assert conditions(status)["Programmed"] == ("False", "Invalid")
    (shown,) = status["listeners"]
    assert conditions(shown)[kind] == ("False", reason)
    assert parent_of(result)["Accepted"] == ("False", "NoMatchingParent")
    assert not result.certificates


def test_https_has_its_certificate_and_its_own_rules():
    result = evaluated(route(), gateways=[gateway(HTTP, HTTPS)])
    assert result.certificates == [("ns", "certificate")]
    assert {rule.secure for rule in result.rules} == {False, True}
    alone = evaluated(route(parent={"sectionName": "https"}), gateways=[gateway(HTTP, HTTPS)])
    assert service(alone, asked()) is None
    assert service(alone, asked(secure=True)) == "web"


def test_gateways_of_other_classes_are_left_alone():
    result = evaluated(route(), gateways=[gateway(class_name="cloud")])
    assert list(result.statuses) == [("gatewayclasses", ("", "cours"))]


def test_what_other_controllers_say_of_a_route_stays():
    theirs = {"controllerName": "x/y", "parentRef": {"name": "cloud"}, "conditions": []}
    one = route()
    one["status"] = {"parents": [theirs]}
    parents = evaluated(one).statuses["httproutes", ("ns", "r")]["parents"]
    assert parents[0] == theirs
    assert len(parents) == 2


def test_the_time_of_a_transition_is_that_of_the_change():
    one = route()
    first = with_times(evaluated(one).statuses["httproutes", ("ns", "r")], "T1")
    one["status"] = copy.deepcopy(first)
    assert with_times(evaluated(one).statuses["httproutes", ("ns", "r")], "T2") == first
    broken = evaluated(one, services=()).statuses["httproutes", ("ns", "r")]
    times = {
        condition["type"]: condition["lastTransitionTime"]
        for condition in with_times(broken, "T2")["parents"][0]["conditions"]
    }
    assert times == {"Accepted": "T1", "ResolvedRefs": "T2"}


def rule(name, **match):
    return {"matches": [match], "backendRefs": [{"name": name, "port": 80}]}


def path(value, kind="PathPrefix"):
    return {"type": kind, "value": value}


SERVICES = tuple(
    f"ns/{name}" for name in ("root", "long", "exact", "post", "header", "query", "old", "young")
)


def test_precedence_of_matches():
    result = evaluated(
        route(
            rule("root", path=path("/")),
            rule("long", path=path("/shop/cart")),
            rule("exact", path=path("/shop", "Exact")),
            rule("post", path=path("/"), method="POST"),
            rule("header", path=path("/"), headers=[{"name": "X-Tester", "value": "yes"}]),
            rule("query", path=path("/"), queryParams=[{"name": "beta", "value": "1"}]),
        ),
        services=SERVICES,
    )
    assert service(result, asked("/")) == "root"
    assert service(result, asked("/shop")) == "exact"
    assert service(result, asked("/shop/cart/1")) == "long"
    assert service(result, asked("/shopping")) == "root"
    assert service(result, asked(method="POST", headers={"x-tester": "yes"})) == "post"
    assert service(result, asked(headers={"x-tester": "yes"})) == "header"
    assert service(result, asked(headers={"x-tester": "no"})) == "root"
    assert service(result, asked(query={"beta": "1"})) == "query"
    assert service(result, asked(host="b.example")) is None


def test_regular_expressions_and_one_that_cannot_be_read():
    written = {"type": "RegularExpression", "value": r"/v\d+/"}
    result = evaluated(route(rule("root", path=written)), services=SERVICES)
    assert service(result, asked("/v12/x")) == "root"
    assert service(result, asked("/vx/")) is None
    broken = {"type": "RegularExpression", "value": "("}
    assert (
        service(evaluated(route(rule("root", path=broken)), services=SERVICES), asked("/(")) is None
    )


def test_the_older_route_wins_then_the_first_rule():
    young = route(rule("young", path=path("/")), name="a", created="2")
    old = route(rule("old", path=path("/")), rule("root", path=path("/")), name="z", created="1")
    assert service(evaluated(young, old, services=SERVICES), asked()) == "old"


@pytest.mark.parametrize(
    ("listener", "of_route", "both"),
    [
        ("", "a.example", "a.example"),
        ("*.example", "", "*.example"),
        ("*.example", "x.y.example", "x.y.example"),
        ("x.example", "*.example", "x.example"),
        ("x.example", "y.example", None),
        ("*.example", "example", None),
    ],
)
def test_hostnames_in_common(listener, of_route, both):
    assert common_host(listener, of_route) == both


@pytest.mark.parametrize(
    ("weights", "count", "shares"),
    [((9, 1), 100, [90, 10]), ((1, 1, 2), 8, [2, 2, 4]), ((0, 1), 5, [0, 5])],
)
def test_weights_are_kept_exactly(weights, count, shares):
    turns = Turns()
    chosen = [turns.next("r", weights) for _ in range(count)]
    assert [chosen.count(position) for position in range(len(weights))] == shares


def test_weights_that_change_begin_anew_and_none_leads_nowhere():
    turns = Turns()
    turns.next("r", (1, 0))
    assert turns.next("r", (0, 1)) == 1
    assert turns.next("r", (0, 0)) is None


def filtered(*filters, value="/old"):
    backend = WeightedBackend(1, Backend("ns", "web", 80))
    return RouteRule("ns/r/0", False, "a.example", RouteMatch({"path": path(value)}), (backend,), filters)  # fmt: skip


@pytest.mark.parametrize(
    ("asked_for", "port", "answer"),
    [
        ({"scheme": "https", "statusCode": 301}, 8080, (301, "https://a.example/old/x")),
        ({"hostname": "b.example"}, 8080, (302, "http://b.example:8080/old/x")),
        (
            {"path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/new"}},
            None,
            (302, "http://a.example/new/x"),
        ),
        ({"path": {"type": "ReplaceFullPath", "replaceFullPath": "/"}}, 80, (302, "http://a.example/")),
    ],
)  # fmt: skip
def test_redirections(asked_for, port, answer):
    redirecting = filtered({"type": "RequestRedirect", "requestRedirect": asked_for})
    assert redirection(asked("/old/x"), redirecting, port) == answer


def test_rewriting_and_headers():
    rewriting = filtered(
        {
            "type": "URLRewrite",
            "urlRewrite": {
                "hostname": "inside",
                "path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/"},
            },
        }
    )
    assert rewritten("/old/x", rewriting) == ("/x", "inside")
    assert rewritten("/old", rewriting) == ("/", "inside")
    modifier = {
        "set": [{"name": "X-A", "value": "1"}],
        "add": [{"name": "X-B", "value": "2"}],
        "remove": ["X-C"],
    }
    filters = [{"type": "RequestHeaderModifier", "requestHeaderModifier": modifier}]
    before = [("x-a", "0"), ("X-B", "1"), ("X-c", "9")]
    after = changed_headers(before, filters, "RequestHeaderModifier")
    assert after == [("X-B", "1"), ("X-A", "1"), ("X-B", "2")]
    assert changed_headers(before, filters, "ResponseHeaderModifier") == before


def test_an_unknown_filter_is_not_passed_over_in_silence():
    unknown = {"backendRefs": [{"name": "web", "port": 80}], "filters": [{"type": "CORS"}]}
    result = evaluated(route(unknown))
    assert parent_of(result)["Accepted"] == ("False", "UnsupportedValue")
    assert result.rules[0].backends == (WeightedBackend(1, None),)
