"""What GatewayClasses, Gateways and HTTPRoutes amount to: rules for requests, and what their statuses say. Pure.

Reasons are those of sigs.k8s.io/gateway-api v1.6.1 (`apis/v1/shared_types.go`, `gateway_types.go`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...config import GATEWAY_CONTROLLER
from ...selectors import label_selector_matches
from ..api import Key, Object, key_of
from .http_routes import FILTERS, RouteMatch, RouteRule, WeightedBackend, common_host
from .ingress_rules import Backend

GROUP = "gateway.networking.k8s.io"
ADDRESS = "127.0.0.1"

_PORTS = {"HTTP": 80, "HTTPS": 443}
"""The port that a listener of each protocol may name: what leads to this controller's own on 127.0.0.1."""
_ROUTE_KIND = {"group": GROUP, "kind": "HTTPRoute"}
_NO_ERROR = "No error found"

Condition = dict[str, Any]


@dataclass(frozen=True)
class GatewayObjects:
    """All that the evaluation looks at.

    Attributes
    ----------
    classes, gateways, routes, grants : sequence of dict
        GatewayClasses, Gateways, HTTPRoutes, ReferenceGrants.
    namespaces : mapping
        Name → labels.
    certificate_fault : callable
        Why the Secret of a key has no certificate; "" where it has one.
    has_port : callable
        Whether a Service exists, and has a port of that number.
    """

    classes: Sequence[Object]
    gateways: Sequence[Object]
    routes: Sequence[Object]
    grants: Sequence[Object]
    namespaces: Mapping[str, Mapping[str, str]]
    certificate_fault: Callable[[Key], str]
    has_port: Callable[[Key, int], tuple[bool, bool]]


@dataclass
class Evaluation:
    """What comes out.

    Attributes
    ----------
    rules : list of RouteRule
        In the order that decides between equal ones.
    certificates : list of Key
        Secrets of the listeners that are programmed.
    statuses : dict
        (plural, key) → status.
    """

    rules: list[RouteRule] = field(default_factory=list)
    certificates: list[Key] = field(default_factory=list)
    statuses: dict[tuple[str, Key], dict[str, Any]] = field(default_factory=dict)


@dataclass
class _Listener:
    gateway: Key
    plain: Mapping[str, Any]
    faults: list[tuple[str, str, str]]
    """Type of the condition, its reason, its message."""
    attached: int = 0

    @property
    def hostname(self) -> str:
        return str(self.plain.get("hostname") or "").lower()


def evaluate(objects: GatewayObjects) -> Evaluation:
    """Return rules and statuses of everything that names this controller."""
    result = Evaluation()
    classes = set()
    for one in objects.classes:
        if one["spec"]["controllerName"] == GATEWAY_CONTROLLER:
            classes.add(one["metadata"]["name"])
            accepted = [("Accepted", True, "Accepted", "Served by the embedded node")]
            result.statuses["gatewayclasses", key_of(one)] = {
                "conditions": _conditions(one, accepted)
            }
    listeners: dict[Key, list[_Listener]] = {}
    for gateway in sorted(objects.gateways, key=_age):
        if gateway["spec"]["gatewayClassName"] in classes:
            listeners[key_of(gateway)] = [
                _Listener(key_of(gateway), plain, _listener_faults(gateway, plain, objects))
                for plain in gateway["spec"]["listeners"]
            ]
    for route in sorted(objects.routes, key=_age):
        _evaluate_route(route, listeners, objects, result)
    for gateway in objects.gateways:
        if key_of(gateway) in listeners:
            own = listeners[key_of(gateway)]
            result.statuses["gateways", key_of(gateway)] = _gateway_status(gateway, own)
            for listener in own:
                if not listener.faults:
                    result.certificates += _secrets(key_of(gateway)[0], listener.plain)
    return result


def _age(item: Object) -> tuple[str, str, str]:
    meta = item["metadata"]
    return meta.get("creationTimestamp", ""), meta.get("namespace", ""), meta["name"]


def _listener_faults(
    gateway: Object, plain: Mapping[str, Any], objects: GatewayObjects
) -> list[tuple[str, str, str]]:
    protocol, port = plain["protocol"], plain["port"]
    if protocol not in _PORTS:
        return [("Accepted", "UnsupportedProtocol", f'Unsupported listener protocol "{protocol}"')]
    if port != _PORTS[protocol]:
        served = f"{protocol} is served on port {_PORTS[protocol]} alone"
        return [("Accepted", "PortUnavailable", f"Port {port} is not available: {served}")]
    if protocol == "HTTP":
        return []
    namespace = gateway["metadata"]["namespace"]
    faults = []
    keys = _secrets(namespace, plain)
    if not keys:
        faults.append(("ResolvedRefs", "InvalidCertificateRef", "A certificateRef is required"))
    for key in keys:
        name = "/".join(key)
        if not _granted(objects.grants, "Gateway", namespace, "Secret", key):
            text = f"No ReferenceGrant permits the Secret {name}"
            faults.append(("ResolvedRefs", "RefNotPermitted", text))
        elif fault := objects.certificate_fault(key):
            text = f"Cannot load CertificateRef {name}: {fault}"
            faults.append(("ResolvedRefs", "InvalidCertificateRef", text))
    return faults


def _secrets(namespace: str, listener: Mapping[str, Any]) -> list[Key]:
    references = (listener.get("tls") or {}).get("certificateRefs") or ()
    return [
        (reference.get("namespace") or namespace, reference["name"]) for reference in references
    ]


def _gateway_status(gateway: Object, listeners: Sequence[_Listener]) -> dict[str, Any]:
    good = [listener for listener in listeners if not listener.faults]
    if good:
        reason = "Accepted" if len(good) == len(listeners) else "ListenersNotValid"
        rest = "" if len(good) == len(listeners) else ", but some Listeners are not valid"
        said = [
            ("Accepted", True, reason, f"Gateway successfully scheduled{rest}"),
            ("Programmed", True, "Programmed", f"Gateway successfully programmed{rest}"),
        ]
    else:
        said = [
            ("Accepted", False, "ListenersNotValid", "At least one Listener must be valid"),
            ("Programmed", False, "Invalid", "No Listener is valid"),
        ]
    before = {one["name"]: one for one in (gateway.get("status") or {}).get("listeners") or ()}
    return {
        "addresses": [{"type": "IPAddress", "value": ADDRESS}],
        "conditions": _conditions(gateway, said),
        "listeners": [
            _listener_status(gateway, listener, before.get(listener.plain["name"]) or {})
            for listener in listeners
        ],
    }


def _listener_status(
    gateway: Object, listener: _Listener, before: Mapping[str, Any]
) -> dict[str, Any]:
    faults = {kind: (kind, False, reason, text) for kind, reason, text in listener.faults}
    programmed = ("Programmed", False, "Invalid", "The listener is not valid")
    said = [
        faults.get("Accepted", ("Accepted", True, "Accepted", _NO_ERROR)),
        faults.get("ResolvedRefs", ("ResolvedRefs", True, "ResolvedRefs", _NO_ERROR)),
        programmed if faults else ("Programmed", True, "Programmed", _NO_ERROR),
    ]
    return {
        "name": listener.plain["name"],
        "supportedKinds": [_ROUTE_KIND] if listener.plain["protocol"] in _PORTS else [],
        "attachedRoutes": listener.attached,
        "conditions": _conditions(gateway, said, before.get("conditions") or ()),
    }


def _evaluate_route(
    route: Object,
    listeners: Mapping[Key, Sequence[_Listener]],
    objects: GatewayObjects,
    result: Evaluation,
) -> None:
    """Attach a route to the listeners of each parent that is ours."""
    key = key_of(route)
    parents = []
    rules, fault = _rules(route, objects)
    for reference in route["spec"].get("parentRefs") or ():
        own = listeners.get((reference.get("namespace") or key[0], reference["name"]))
        if own is None or reference.get("kind", "Gateway") != "Gateway":
            continue
        hosts, reason = _attach(route, reference, own, objects)
        for secure, host in hosts:
            result.rules += [
                RouteRule(name, secure, host, match, backends, filters)
                for name, match, backends, filters in rules
            ]
        parents.append((reference, reason, fault))
    if parents or _ours(route):
        result.statuses["httproutes", key] = {"parents": _parents(route, parents)}


def _attach(
    route: Object,
    reference: Mapping[str, Any],
    listeners: Sequence[_Listener],
    objects: GatewayObjects,
) -> tuple[list[tuple[bool, str]], str]:
    """Return (secure, hostname) of what the route answers to, and the reason of its condition Accepted."""
    named = [
        listener
        for listener in listeners
        if reference.get("sectionName", listener.plain["name"]) == listener.plain["name"]
        and reference.get("port", listener.plain["port"]) == listener.plain["port"]
        and not listener.faults
    ]
    if not named:
        return [], "NoMatchingParent"
    allowed = [listener for listener in named if _allows(listener, route, objects)]
    if not allowed:
        return [], "NotAllowedByListeners"
    hosts = []
    wanted = [host.lower() for host in route["spec"].get("hostnames") or ("",)]
    for listener in allowed:
        both = [common_host(listener.hostname, host) for host in wanted]
        found = [(listener.plain["protocol"] == "HTTPS", host) for host in both if host is not None]
        listener.attached += bool(found)
        hosts += found
    return hosts, "Accepted" if hosts else "NoMatchingListenerHostname"


def _allows(listener: _Listener, route: Object, objects: GatewayObjects) -> bool:
    allowed = listener.plain.get("allowedRoutes") or {}
    kinds = allowed.get("kinds")
    if kinds and all(one["kind"] != "HTTPRoute" for one in kinds):
        return False
    where = allowed.get("namespaces") or {}
    namespace = route["metadata"]["namespace"]
    if where.get("from", "Same") == "Same":
        return bool(namespace == listener.gateway[0])
    if where["from"] == "All":
        return True
    labels = objects.namespaces.get(namespace, {})
    return where["from"] == "Selector" and label_selector_matches(
        where.get("selector") or {}, labels
    )


_Rules = list[tuple[str, RouteMatch, tuple[WeightedBackend, ...], tuple[Mapping[str, Any], ...]]]
_Fault = tuple[str, str, str] | None


def _rules(route: Object, objects: GatewayObjects) -> tuple[_Rules, _Fault]:
    """Return every match of every rule, and the first reference that leads nowhere."""
    namespace, name = key_of(route)
    rules: _Rules = []
    first: _Fault = None
    for index, rule in enumerate(route["spec"].get("rules") or ({},)):
        backends = []
        for reference in rule.get("backendRefs") or ():
            backend, fault = _backend(namespace, reference, objects)
            weight, filters = reference.get("weight", 1), tuple(reference.get("filters") or ())
            backends.append(WeightedBackend(weight, backend, filters))
            first = first or fault
        filters = tuple(rule.get("filters") or ())
        for one in filters:
            if one["type"] not in FILTERS:
                first = first or (
                    "Accepted",
                    "UnsupportedValue",
                    f"Filter {one['type']} is not supported",
                )
                backends = [WeightedBackend(1, None)]
        matches: Sequence[Mapping[str, Any]] = rule.get("matches") or ({},)
        for match in matches:
            rules.append(
                (f"{namespace}/{name}/{index}", RouteMatch(match), tuple(backends), filters)
            )
    return rules, first


def _backend(
    namespace: str, reference: Mapping[str, Any], objects: GatewayObjects
) -> tuple[Backend | None, _Fault]:
    key = (reference.get("namespace") or namespace, reference["name"])
    name = "/".join(key)
    if reference.get("kind", "Service") != "Service" or reference.get("group"):
        text = f"Backend {name} is not a Service"
        return None, ("ResolvedRefs", "InvalidKind", text)
    if not _granted(objects.grants, "HTTPRoute", namespace, "Service", key):
        text = f"No ReferenceGrant permits the Service {name}"
        return None, ("ResolvedRefs", "RefNotPermitted", text)
    exists, has_port = objects.has_port(key, reference.get("port", 0))
    if not exists:
        return None, ("ResolvedRefs", "BackendNotFound", f"Service {name} not found")
    if not has_port:
        text = f"Service {name} has no port {reference.get('port')}"
        return None, ("ResolvedRefs", "BackendNotFound", text)
    return Backend(*key, reference["port"]), None


def _granted(
    grants: Iterable[Object], from_kind: str, namespace: str, to_kind: str, to: Key
) -> bool:
    if to[0] == namespace:
        return True
    return any(
        grant["metadata"]["namespace"] == to[0]
        and any(
            one["kind"] == from_kind and one["namespace"] == namespace
            for one in grant["spec"]["from"]
        )
        and any(
            one["kind"] == to_kind and one.get("name") in (None, "", to[1])
            for one in grant["spec"]["to"]
        )
        for grant in grants
    )


def _ours(route: Object) -> list[Mapping[str, Any]]:
    """Return what this controller has said of a route's parents before."""
    parents = (route.get("status") or {}).get("parents") or ()
    return [one for one in parents if one["controllerName"] == GATEWAY_CONTROLLER]


def _parents(
    route: Object, ours: Sequence[tuple[Mapping[str, Any], str, _Fault]]
) -> list[dict[str, Any]]:
    """Return the status of all parents, those of other controllers as they are."""
    before = {str(one["parentRef"]): one for one in _ours(route)}
    kept = [
        one
        for one in (route.get("status") or {}).get("parents") or ()
        if one["controllerName"] != GATEWAY_CONTROLLER
    ]
    for reference, reason, fault in ours:
        accepted = ("Accepted", reason == "Accepted", reason, "")
        resolved = ("ResolvedRefs", True, "ResolvedRefs", "")
        if fault is not None and fault[0] == "Accepted" and reason == "Accepted":
            accepted = (fault[0], False, *fault[1:])
        elif fault is not None and fault[0] == "ResolvedRefs":
            resolved = (fault[0], False, *fault[1:])
        known = before.get(str(reference), {}).get("conditions") or ()
        kept.append(
            {
                "parentRef": reference,
                "controllerName": GATEWAY_CONTROLLER,
                "conditions": _conditions(route, [accepted, resolved], known),
            }
        )
    return kept


def _conditions(
    item: Object,
    said: Sequence[tuple[str, bool, str, str]],
    before: Sequence[Mapping[str, Any]] | None = None,
) -> list[Condition]:
    """Return conditions; the time of a transition stays "" where it has to be set (see `with_times`)."""
    if before is None:
        before = (item.get("status") or {}).get("conditions") or ()
    known = {one["type"]: one for one in before}
    result = []
    for kind, holds, reason, message in said:
        status = "True" if holds else "False"
        old = known.get(kind, {})
        same = old.get("status") == status
        result.append(
            {
                "type": kind,
                "status": status,
                "observedGeneration": item["metadata"].get("generation", 0),
                "lastTransitionTime": old.get("lastTransitionTime", "") if same else "",
                "reason": reason,
                "message": message,
            }
        )
    return result


def with_times(status: Any, now: str) -> Any:
    """Return a status whose new transitions happened now."""
    if isinstance(status, dict):
        return {
            name: now if name == "lastTransitionTime" and not value else with_times(value, now)
            for name, value in status.items()
        }
    if isinstance(status, list):
        return [with_times(one, now) for one in status]
    return status
