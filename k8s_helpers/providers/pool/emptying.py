"""Emptying a namespace that we may not delete: all goes that we can list and delete, but what is the class's.

What the cluster itself puts into every namespace stays too, and is no reason to wait: a ConfigMap of its certificates
that a controller writes anew as soon as it is gone.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from ..._errors import WaitTimeoutError
from ...kube.api import ApiSession, ApiStatusError
from ...kube.classes import CLASS_LABEL, LEASE
from ...kube.discovery import Kind, in_namespaces
from ...kube.refusals import ignoring
from ...kube.waiting import wait_until

_STAYS: Mapping[tuple[str, str], str] = {
    ("", "configmaps"): "kube-root-ca.crt",
    ("", "serviceaccounts"): "default",
    ("coordination.k8s.io", "leases"): LEASE,
}
"""By group and kind, the object that every namespace has."""
_EVENTS = ("events",)
"""What the end of other objects makes more of: deleted, and not waited for."""
_POLL_S = 0.1
_AGAIN_S = 2.0
"""How often what is still there is told to go once more: a controller may have made it meanwhile."""
_AT_ONCE = 8
"""Requests under way."""
_NAMED = 4


@dataclass(frozen=True)
class Leftover:
    """An object that is still there.

    Attributes
    ----------
    name : str
        "Deployment/web".
    finalizers : tuple of str
        What holds it.
    """

    name: str
    finalizers: tuple[str, ...]

    def __str__(self) -> str:
        held = f" (retenu par {', '.join(self.finalizers)})" if self.finalizers else ""
        return f"{self.name}{held}"


def deletable(api: ApiSession) -> tuple[Kind, ...]:
    """Return each kind of object that namespaces hold and that can be listed and deleted, once, pods last.

    Who makes pods is so told to go before they are.
    """
    kinds = in_namespaces(api, {"list", "delete"})
    return tuple(sorted(kinds, key=lambda kind: kind.plural == "pods"))


def tell(api: ApiSession, kinds: Sequence[Kind], namespace: str, grace_s: float) -> None:
    """Tell all that a namespace holds to go, and wait for nothing.

    Parameters
    ----------
    kinds : sequence of Kind
        See `deletable`.
    grace_s : float
        Time that its pods get to stop.
    """
    with ThreadPoolExecutor(_AT_ONCE) as workers:
        *others, pods = kinds
        list(workers.map(lambda kind: _delete(api, kind, namespace, grace_s), others))
    _delete(api, pods, namespace, grace_s)


def empty(
    api: ApiSession, kinds: Sequence[Kind], namespace: str, grace_s: float, timeout_s: float
) -> None:
    """Delete all that a namespace holds, and return once it is gone.

    Raises
    ------
    WaitTimeoutError
        Names what does not go, and which finalizers hold it.
    """
    with ThreadPoolExecutor(_AT_ONCE) as workers:
        listed = dict(
            zip(
                kinds,
                workers.map(lambda kind: _list(api, kind, namespace, waited_for=False), kinds),
                strict=True,
            )
        )
    before = {item["metadata"]["uid"] for items in listed.values() for item in items}
    holding = [kind for kind in kinds if listed[kind]]
    due_s = 0.0

    def leftovers() -> list[Leftover]:
        nonlocal due_s
        if time.monotonic() >= due_s:
            due_s = time.monotonic() + _AGAIN_S
            for kind in holding:
                _delete(api, kind, namespace, grace_s)
        return [left for kind in holding for left in _left(api, kind, namespace, before)]

    if not holding:
        return
    # What the going ones have made meanwhile (a pod of a Deployment) is of a kind that was there: listed each time.
    wait_until(
        leftovers,
        timeout_s,
        lambda left: _late(namespace, left, timeout_s),
        done=lambda left: not left,
        every_s=_POLL_S,
    )


def _left(api: ApiSession, kind: Kind, namespace: str, before: set[str]) -> Iterator[Leftover]:
    """Yield what is still there of a kind, but what somebody has made anew meanwhile."""
    for item in _list(api, kind, namespace, waited_for=True):
        metadata = item["metadata"]
        owned = bool(metadata.get("ownerReferences"))
        if metadata["uid"] in before or owned or "deletionTimestamp" in metadata:
            name = f"{kind.name}/{metadata['name']}"
            yield Leftover(name, tuple(metadata.get("finalizers") or ()))


def _late(namespace: str, left: Sequence[Leftover], timeout_s: float) -> WaitTimeoutError:
    more = f" et {len(left) - _NAMED} autres" if len(left) > _NAMED else ""
    return WaitTimeoutError(
        f"Vider l’espace de noms « {namespace} »",
        f"il y reste, après {timeout_s:.0f} s : {', '.join(map(str, left[:_NAMED]))}{more}",
        f"« kubectl -n {namespace} get » le montre ; un finalizer attend souvent un contrôleur qui ne tourne plus : "
        "« kubectl edit » l’enlève, ou votre enseignant.",
    )


def _query(kind: Kind) -> dict[str, Any]:
    stays = _STAYS.get((kind.group, kind.plural))
    return {
        "labelSelector": f"!{CLASS_LABEL}",
        "fieldSelector": f"metadata.name!={stays}" if stays else None,
    }


def _list(api: ApiSession, kind: Kind, namespace: str, *, waited_for: bool) -> list[dict[str, Any]]:
    if waited_for and kind.plural in _EVENTS:
        return []
    with ignoring(403, 404, 405):  # what we may not list we cannot have made
        items: list[dict[str, Any]] = api.request("GET", kind.path(namespace), query=_query(kind))[
            "items"
        ]
        return items
    return []


def _delete(api: ApiSession, kind: Kind, namespace: str, grace_s: float) -> None:
    """Delete the objects of a kind: all by one request where that may be, otherwise each by its own."""
    pods = kind.plural == "pods" and not kind.group
    query = {
        "gracePeriodSeconds": int(grace_s) if pods else None,
        "propagationPolicy": "Background",
    }
    try:
        api.request("DELETE", kind.path(namespace), query={**_query(kind), **query})
        return
    except ApiStatusError as error:
        if error.code not in (403, 404, 405, 409):
            raise
    for item in _list(api, kind, namespace, waited_for=False):
        with ignoring(403, 404, 409):
            name = item["metadata"]["name"]
            api.request("DELETE", kind.path(namespace, name), query=query)
