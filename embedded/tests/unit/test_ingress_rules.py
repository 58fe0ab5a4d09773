"""Host and path rules of Ingress, by the examples of its documentation."""

import pytest

from embedded_kubernetes.node.ingress.ingress_rules import (
    CLASS_NAME,
    Backend,
    find_ingress_rule,
    host_matches,
    is_ours,
    path_matches,
    routes,
)


@pytest.mark.parametrize(
    ("kind", "pattern", "path", "covered"),
    [
        # kubernetes.io, Ingress, « Examples »
        ("Prefix", "/", "/anything", True),
        ("Exact", "/foo", "/foo", True),
        ("Exact", "/foo", "/bar", False),
        ("Exact", "/foo", "/foo/", False),
        ("Exact", "/foo/", "/foo", False),
        ("Prefix", "/foo", "/foo", True),
        ("Prefix", "/foo", "/foo/", True),
        ("Prefix", "/foo/", "/foo", True),
        ("Prefix", "/foo/", "/foo/", True),
        ("Prefix", "/aaa/bb", "/aaa/bbb", False),
        ("Prefix", "/aaa/bbb", "/aaa/bbb", True),
        ("Prefix", "/aaa/bbb/", "/aaa/bbb", True),
        ("Prefix", "/aaa/bbb", "/aaa/bbb/ccc", True),
        ("Prefix", "/aaa/bbb", "/aaa/bbbxyz", False),
        ("ImplementationSpecific", "/aaa", "/aaa/x", True),
    ],
)
def test_path_types(kind, pattern, path, covered):
    assert path_matches(kind, pattern, path) is covered


@pytest.mark.parametrize(
    ("pattern", "host", "covered"),
    [
        ("*.foo.com", "bar.foo.com", True),
        ("*.foo.com", "baz.bar.foo.com", False),
        ("*.foo.com", "foo.com", False),
        ("foo.com", "FOO.com", True),
        ("foo.com", "bar.com", False),
        ("", "anything", True),
    ],
)
def test_hosts(pattern, host, covered):
    assert host_matches(pattern, host) is covered


def find(table, host, path):
    return table.backend(find_ingress_rule(table, host, path))


def ingress(name, *rules, created="2026-01-01T00:00:00Z", default=None, class_name=CLASS_NAME):
    """`rules`: (host, path, path type, service)."""
    spec = {
        "ingressClassName": class_name,
        "rules": [
            {
                "host": host,
                "http": {
                    "paths": [
                        {
                            "path": path,
                            "pathType": kind,
                            "backend": {"service": {"name": service, "port": {"number": 80}}},
                        }
                    ]
                },
            }
            for host, path, kind, service in rules
        ],
    }
    if default:
        spec["defaultBackend"] = {"service": {"name": default, "port": {"name": "http"}}}
    return {
        "metadata": {"name": name, "namespace": "ns", "creationTimestamp": created},
        "spec": spec,
    }


def service(table, host, path):
    backend = find(table, host, path)
    return backend and backend.service


def test_longest_path_wins_then_exact():
    table = routes(
        [
            ingress(
                "a",
                ("", "/", "Prefix", "root"),
                ("", "/shop", "Prefix", "shop"),
                ("", "/shop", "Exact", "shop-exact"),
                ("", "/shop/cart", "Prefix", "cart"),
            )
        ]
    )
    assert service(table, "x", "/") == "root"
    assert service(table, "x", "/shop") == "shop-exact"
    assert service(table, "x", "/shop/") == "shop"
    assert service(table, "x", "/shop/cart/1") == "cart"
    assert service(table, "x", "/shopping") == "root"


def test_exact_host_wins_over_wildcard_over_none():
    table = routes(
        [
            ingress(
                "a",
                ("", "/very/long/path", "Prefix", "any"),
                ("*.foo.com", "/", "Prefix", "wild"),
                ("bar.foo.com", "/", "Prefix", "exact"),
            )
        ]
    )
    assert service(table, "bar.foo.com", "/very/long/path") == "exact"
    assert service(table, "baz.foo.com", "/very/long/path") == "wild"
    assert service(table, "other.org", "/very/long/path") == "any"
    assert service(table, "other.org", "/") is None


def test_default_backend_takes_the_rest():
    table = routes([ingress("a", ("h", "/x", "Exact", "x"), default="rest")])
    assert find(table, "nobody", "/") == Backend("ns", "rest", "http")
    assert service(table, "h", "/x") == "x"
    assert find(routes([]), "h", "/") is None


def test_older_ingress_wins_a_conflict():
    young = ingress("a", ("h", "/", "Prefix", "young"), created="2026-02-01T00:00:00Z")
    old = ingress("b", ("h", "/", "Prefix", "old"))
    assert service(routes([young, old]), "h", "/") == "old"


def test_other_classes_are_left_alone():
    other = ingress("a", ("h", "/", "Prefix", "x"), class_name="nginx")
    assert not is_ours(other)
    assert find(routes([other]), "h", "/") is None
    legacy = ingress("a", class_name=None)
    assert not is_ours(legacy)
    legacy["metadata"]["annotations"] = {"kubernetes.io/ingress.class": CLASS_NAME}
    assert is_ours(legacy)
