"""The kinds that a cluster serves, found by every name that kubectl takes for them: `po`, `pods`, `Pod`."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from typing import Any

from .._errors import UsageError
from .api import ApiSession, require_name

_AGGREGATED = (
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"
)


@dataclass(frozen=True)
class Kind:
    """One kind of object and where the API serves it."""

    name: str
    """"Deployment"."""
    plural: str
    singular: str
    short_names: tuple[str, ...]
    group: str
    """"" for the core group."""
    version: str
    namespaced: bool
    verbs: frozenset[str]
    """What may be done: "list", "deletecollection"."""

    @property
    def api_version(self) -> str:
        """As manifests write it: "v1", "apps/v1"."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def words(self) -> frozenset[str]:
        """Every name that kubectl takes for it, in lower case."""
        bare = {
            self.name.lower(),
            self.plural,
            self.singular or self.name.lower(),
            *self.short_names,
        }
        if not self.group:
            return frozenset(bare)
        return frozenset(
            bare | {f"{self.plural}.{self.group}", f"{self.name.lower()}.{self.group}"}
        )

    def require_name(self, name: object) -> str:
        """Return the name of an object of this kind; `UsageError` where it is empty or can be none."""
        return require_name(name, f"un objet de type {self.name}")

    def path(self, namespace: str, name: str | None = None, subresource: str | None = None) -> str:
        """Return the path of the collection, of one object, or of a subresource ("status", "scale", "log").

        Raises
        ------
        UsageError
            A name or namespace that is given and empty, or that would change the path.
        """
        root = f"/apis/{self.api_version}" if self.group else f"/api/{self.version}"
        parts = [root]
        if self.namespaced:
            parts += ["namespaces", require_name(namespace, "un espace de noms")]
        parts.append(self.plural)
        if name is not None:
            parts.append(self.require_name(name))
        if subresource is not None:
            parts.append(subresource)
        return "/".join(parts)


class Kinds:
    """What one cluster serves, asked once and again where a name is unknown (a CRD may have come since)."""

    def __init__(self, api: ApiSession) -> None:
        self._api = api
        self._kinds: tuple[Kind, ...] = ()

    def find(self, word: str) -> Kind:
        """Return the kind of that name; the core group and the stable versions go first, as in kubectl.

        Raises
        ------
        UsageError
            The cluster serves no such kind.
        """
        wanted = word.lower()
        found = self._first(lambda kind: wanted in kind.words)
        if found is None:
            raise self._unknown(word)
        return found

    def of(self, plain: Mapping[str, Any]) -> Kind:
        """Return the kind of an object by its `apiVersion` and `kind`.

        Raises
        ------
        UsageError
            The cluster serves no such kind in that version.
        """
        version, name = plain["apiVersion"], plain["kind"]
        found = self._first(lambda kind: kind.name == name and kind.api_version == version)
        if found is not None:
            return found
        others = sorted({kind.api_version for kind in self._kinds if kind.name == name})
        if others:
            raise UsageError(
                f"Trouver le type {name} en version {version}",
                f"ce cluster le sert en {', '.join(others)}",
                f"Écrivez « apiVersion: {others[0]} ».",
            )
        for kind in self._kinds:
            if name.lower() in kind.words:
                raise UsageError(
                    f"Trouver le type « {name} »",
                    "ce cluster n’en a pas de ce nom : majuscules et singulier comptent",
                    f"Écrivez « kind: {kind.name} ».",
                )
        raise self._unknown(f"{name} ({version})", name)

    def _first(self, wanted: Any) -> Kind | None:
        found = next((kind for kind in self._kinds if wanted(kind)), None)
        if found is None:
            self._kinds = tuple(discover(self._api))
            found = next((kind for kind in self._kinds if wanted(kind)), None)
        return found

    def _unknown(self, shown: str, word: str | None = None) -> UsageError:
        names = {item.lower(): kind.name for kind in self._kinds for item in kind.words}
        near = difflib.get_close_matches((word or shown).lower(), list(names), 1, 0.7)
        advice = (
            f"Vouliez-vous dire « {names[near[0]]} » ?"
            if near
            else "« kubectl api-resources » les montre tous."
        )
        return UsageError(f"Trouver le type « {shown} »", "ce cluster n’en a pas de ce nom", advice)


def discover(api: ApiSession) -> Iterator[Kind]:
    """Ask the cluster for all the kinds that it serves, in its order of preference.

    Source: https://kubernetes.io/docs/concepts/overview/kubernetes-api/#aggregated-discovery
    """
    for root in ("/api", "/apis"):
        answer = api.request("GET", root, accept=_AGGREGATED)
        for group in answer["items"]:
            for version in group["versions"]:
                for resource in version.get("resources", ()):
                    yield _kind(group["metadata"].get("name", ""), version["version"], resource)


def in_namespaces(api: ApiSession, verbs: Set[str]) -> tuple[Kind, ...]:
    """Return each kind of object that namespaces hold and that has all these verbs, once, in its preferred version."""
    found: dict[tuple[str, str], Kind] = {}
    for kind in discover(api):
        if kind.namespaced and verbs <= kind.verbs:
            found.setdefault((kind.group, kind.plural), kind)
    return tuple(found.values())


def _kind(group: str, version: str, resource: Mapping[str, Any]) -> Kind:
    return Kind(
        name=resource["responseKind"]["kind"],
        plural=resource["resource"],
        singular=resource.get("singularResource", ""),
        short_names=tuple(resource.get("shortNames", ())),
        group=group,
        version=version,
        namespaced=resource["scope"] == "Namespaced",
        verbs=frozenset(resource.get("verbs", ())),
    )
