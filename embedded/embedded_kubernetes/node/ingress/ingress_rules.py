"""Which backend of which Ingress answers a host and a path.

(source: https://kubernetes.io/docs/concepts/services-networking/ingress/, « Path types », « Multiple matches »,
« Hostname wildcards »)
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

CLASS_NAME = "embedded"
CONTROLLER = "k8s-helpers.dev/embedded-ingress"

_LEGACY_CLASS = "kubernetes.io/ingress.class"


@dataclass(frozen=True)
class Backend:
    """A Service port that requests go to."""

    namespace: str
    service: str
    port: int | str
    """Number, or name."""


@dataclass(frozen=True)
class IngressRule:
    """One path of one host."""

    host: str
    """"" for every host; `*.` in front for one label of any name."""
    path: str
    path_type: Literal["Exact", "Prefix", "ImplementationSpecific"]
    backend: Backend


@dataclass(frozen=True)
class IngressRoutes:
    """All rules of the Ingresses that are ours."""

    rules: tuple[IngressRule, ...] = ()
    default: Backend | None = None
    certificates: tuple[tuple[str, str], ...] = ()
    """Namespace and name of the Secrets that `spec.tls` names."""

    def backend(self, rule: IngressRule | None) -> Backend | None:
        """Return the backend of a rule, the default one where no rule covers a request, None where there is none."""
        return self.default if rule is None else rule.backend


def is_ours(ingress: dict[str, Any]) -> bool:
    """Return whether an Ingress is this controller's to serve."""
    name = ingress["spec"].get("ingressClassName")
    if name is None:
        name = (ingress["metadata"].get("annotations") or {}).get(_LEGACY_CLASS)
    return bool(name == CLASS_NAME)


def routes(ingresses: Iterable[dict[str, Any]]) -> IngressRoutes:
    """Return the rules of those Ingresses that are ours; the oldest wins where two say the same."""
    rules: list[IngressRule] = []
    default: Backend | None = None
    certificates: list[tuple[str, str]] = []
    ours = [candidate for candidate in ingresses if is_ours(candidate)]
    for ingress in sorted(ours, key=_age):
        namespace, spec = ingress["metadata"]["namespace"], ingress["spec"]
        secrets = (tls.get("secretName") for tls in spec.get("tls") or ())
        certificates += [(namespace, secret) for secret in secrets if secret]
        if default is None and spec.get("defaultBackend"):
            default = _backend(namespace, spec["defaultBackend"])
        for rule in spec.get("rules") or ():
            for path in (rule.get("http") or {}).get("paths") or ():
                backend = _backend(namespace, path["backend"])
                if backend is not None:
                    rules.append(
                        IngressRule(
                            (rule.get("host") or "").lower(),
                            path.get("path") or "/",
                            path.get("pathType", "ImplementationSpecific"),
                            backend,
                        )
                    )
    return IngressRoutes(tuple(rules), default, tuple(certificates))


def _age(ingress: dict[str, Any]) -> tuple[str, str, str]:
    meta = ingress["metadata"]
    return (meta.get("creationTimestamp", ""), meta["namespace"], meta["name"])


def _backend(namespace: str, backend: dict[str, Any]) -> Backend | None:
    service = backend.get("service")
    if service is None:
        return None
    port = service.get("port") or {}
    return Backend(namespace, service["name"], port.get("number") or port.get("name") or 0)


def host_matches(pattern: str, host: str) -> bool:
    """Return whether a rule's host covers a request's host (no port, any case)."""
    if not pattern:
        return True
    host = host.lower()
    if not pattern.startswith("*."):
        return host == pattern
    first, _, rest = host.partition(".")
    return bool(first) and rest == pattern[2:]


def path_matches(path_type: str, pattern: str, path: str) -> bool:
    """Return whether a rule's path covers a request's path (no query).

    Prefix compares whole elements: `/foo` covers `/foo`, `/foo/` and `/foo/bar`, not `/foobar`.
    ImplementationSpecific is Prefix here.
    """
    if path_type == "Exact":
        return path == pattern
    prefix = pattern.rstrip("/")
    return path == prefix or path.startswith(prefix + "/")


def find_ingress_rule(table: IngressRoutes, host: str, path: str) -> IngressRule | None:
    """Return the rule that a request goes by; None where none covers it.

    An exact host wins over a wildcard, a wildcard over no host; within a host the longest path
    wins, and Exact over Prefix for equal paths.
    """
    covering = [
        rule
        for rule in table.rules
        if host_matches(rule.host, host) and path_matches(rule.path_type, rule.path, path)
    ]
    return max(covering, key=_precedence, default=None)


def _precedence(rule: IngressRule) -> tuple[int, int, bool]:
    host = 0 if not rule.host else 1 if rule.host.startswith("*.") else 2
    return (host, len(rule.path.rstrip("/")), rule.path_type == "Exact")
