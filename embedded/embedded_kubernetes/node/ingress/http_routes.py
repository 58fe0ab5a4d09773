"""What an HTTPRoute asks of a request: its matches, which of them goes first, its filters, its weights. Pure.

(source: sigs.k8s.io/gateway-api v1.6.1, `apis/v1/httproute_types.go`)
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .ingress_rules import Backend, host_matches, path_matches

_NOTHING = re.compile(r"(?!)")

Headers = Sequence[tuple[str, str]]

FILTERS = frozenset(
    ["RequestHeaderModifier", "ResponseHeaderModifier", "RequestRedirect", "URLRewrite"]
)
"""Filters that this controller knows."""


@dataclass(frozen=True)
class RouteRequest:
    """What of a request decides where it goes."""

    secure: bool
    host: str
    path: str
    method: str
    headers: Mapping[str, str]
    """By names in lower case."""
    query: Mapping[str, str]


@dataclass(frozen=True)
class RouteMatch:
    """One entry of `matches`, as the API has it (`path`, `method`, `headers`, `queryParams`)."""

    plain: Mapping[str, Any] = field(default_factory=dict)

    @property
    def path(self) -> tuple[str, str]:
        """Type and value of the path."""
        path = self.plain.get("path") or {}
        return path.get("type", "PathPrefix"), path.get("value", "/")

    def covers(self, request: RouteRequest) -> bool:
        """Return whether a request meets every condition."""
        kind, value = self.path
        if kind == "RegularExpression":
            covered = _expression(value).match(request.path) is not None
        else:
            covered = path_matches("Exact" if kind == "Exact" else "Prefix", value, request.path)
        return (
            covered
            and self.plain.get("method", request.method) == request.method
            and all(
                _holds(condition, request.headers.get(condition["name"].lower()))
                for condition in self.plain.get("headers") or ()
            )
            and all(
                _holds(condition, request.query.get(condition["name"]))
                for condition in self.plain.get("queryParams") or ()
            )
        )

    def precedence(self) -> tuple[bool, int, bool, int, int]:
        """Return what the larger of goes first: exact path, longest path, method, headers, parameters."""
        kind, value = self.path
        return (
            kind == "Exact",
            len(value.rstrip("/")),
            "method" in self.plain,
            len(self.plain.get("headers") or ()),
            len(self.plain.get("queryParams") or ()),
        )


@functools.lru_cache(256)
def _expression(text: str) -> re.Pattern[str]:
    """Return an expression that was written for RE2; one that Python does not know covers nothing."""
    try:
        return re.compile(text)
    except re.error:
        return _NOTHING


def _holds(condition: Mapping[str, Any], value: str | None) -> bool:
    if value is None:
        return False
    if condition.get("type", "Exact") == "RegularExpression":
        return _expression(condition["value"]).fullmatch(value) is not None
    return bool(value == condition["value"])


@dataclass(frozen=True)
class WeightedBackend:
    """One of `backendRefs`: None as backend for one that leads nowhere, which answers 500."""

    weight: int
    backend: Backend | None
    filters: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True)
class RouteRule:
    """One match of one rule of one HTTPRoute, under one hostname of one listener."""

    name: str
    """Of the rule, for its turns: `namespace/name/index`."""
    secure: bool
    host: str
    match: RouteMatch
    backends: tuple[WeightedBackend, ...]
    filters: tuple[Mapping[str, Any], ...] = ()

    def order(self) -> tuple[int, tuple[bool, int, bool, int, int]]:
        """Return what the larger of goes first; of equal ones, whoever was listed first."""
        return host_rank(self.host), self.match.precedence()


def host_rank(host: str) -> int:
    """Return how precise a rule's host is: none, `*.` and a longer or shorter rest, a whole name."""
    if not host:
        return 0
    return len(host) if host.startswith("*.") else 1000


def find_rule(rules: Iterable[RouteRule], request: RouteRequest) -> RouteRule | None:
    """Return the rule that a request goes by; None where no rule covers it."""
    covering = (
        rule
        for rule in rules
        if rule.secure == request.secure
        and route_host_matches(rule.host, request.host)
        and rule.match.covers(request)
    )
    return max(covering, key=RouteRule.order, default=None)


def route_host_matches(pattern: str, host: str) -> bool:
    """Return whether a hostname covers a request's: unlike an Ingress's, `*.` stands for one label or more."""
    if pattern.startswith("*."):
        return host.lower().endswith(pattern[1:]) and len(host) >= len(pattern)
    return host_matches(pattern, host)


def common_host(listener: str, route: str) -> str | None:
    """Return the hostname that a listener and a route both stand for; None where they have nothing in common."""
    if not listener or not route:
        return listener or route
    if listener == route:
        return route
    if route_host_matches(listener, route):
        return route
    return listener if route_host_matches(route, listener) else None


class Turns:
    """Whose turn it is among backends with weights: each gets its share exactly, spread as evenly as can be.

    The smooth weighted round robin of nginx; Traefik's gives the same shares.
    """

    def __init__(self) -> None:
        self._credits: dict[str, tuple[tuple[int, ...], list[int]]] = {}

    def next(self, name: str, weights: Sequence[int]) -> int | None:
        """Return the position of the one to go to; None where all weigh nothing."""
        total = sum(weights)
        if total == 0:
            return None
        known = self._credits.get(name)
        if known is None or known[0] != tuple(weights):
            known = self._credits[name] = (tuple(weights), [0] * len(weights))
        credits = known[1]
        for position, weight in enumerate(weights):
            credits[position] += weight
        chosen = max(range(len(weights)), key=credits.__getitem__)
        credits[chosen] -= total
        return chosen


def modified(headers: Headers, modifier: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return headers after `set`, `add` and `remove` of a HeaderModifier."""
    put = {one["name"].lower(): (one["name"], one["value"]) for one in modifier.get("set") or ()}
    gone = {name.lower() for name in modifier.get("remove") or ()} | put.keys()
    kept = [(name, value) for name, value in headers if name.lower() not in gone]
    added = [(one["name"], one["value"]) for one in modifier.get("add") or ()]
    return [*kept, *put.values(), *added]


def changed_headers(
    headers: Headers, filters: Iterable[Mapping[str, Any]], kind: str
) -> list[tuple[str, str]]:
    """Return headers after all filters of a kind (`RequestHeaderModifier`, `ResponseHeaderModifier`)."""
    result = list(headers)
    for one in filters:
        if one["type"] == kind:
            result = modified(result, one[kind[0].lower() + kind[1:]])
    return result


def changed_path(path: str, match: RouteMatch, change: Mapping[str, Any]) -> str:
    """Return a path after `ReplaceFullPath` or `ReplacePrefixMatch`."""
    if change.get("type") == "ReplaceFullPath":
        return str(change["replaceFullPath"])
    if change.get("type") != "ReplacePrefixMatch":
        return path
    rest = path.removeprefix(match.path[1].rstrip("/"))
    put = str(change.get("replacePrefixMatch", "")).rstrip("/")
    return put + rest if put + rest else "/"


def redirection(request: RouteRequest, rule: RouteRule, port: int | None) -> tuple[int, str] | None:
    """Return status and `Location` of a RequestRedirect; None where the rule has none.

    Parameters
    ----------
    request : RouteRequest
        What was asked for, without its query.
    rule : RouteRule
        The rule that covers it.
    port : int or None
        Port that the client asked for.
    """
    for one in rule.filters:
        if one["type"] == "RequestRedirect":
            asked = one["requestRedirect"]
            before = "https" if request.secure else "http"
            scheme = asked.get("scheme", before)
            kept = port if scheme == before else None
            shown = asked.get("port", kept)
            suffix = "" if shown in (None, {"http": 80, "https": 443}[scheme]) else f":{shown}"
            path = changed_path(request.path, rule.match, asked.get("path") or {})
            place = f"{scheme}://{asked.get('hostname', request.host)}{suffix}{path}"
            return asked.get("statusCode", 302), place
    return None


def rewritten(path: str, rule: RouteRule) -> tuple[str, str | None]:
    """Return path and `Host` for the backend, after a URLRewrite (None: as the client sent it)."""
    for one in rule.filters:
        if one["type"] == "URLRewrite":
            change = one["urlRewrite"]
            return changed_path(path, rule.match, change.get("path") or {}), change.get("hostname")
    return path, None
