"""A Deployment's revisions, and the way back to one: what `kubectl rollout history` and `rollout undo` do."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

from .._errors import UsageError
from ..kube.image_names import short
from .namespaces import Namespace

REVISION = "deployment.kubernetes.io/revision"
CAUSE = "kubernetes.io/change-cause"
_HASH = "pod-template-hash"


@dataclass(frozen=True)
class Revision:
    """A version of a Deployment that its ReplicaSets remember.

    Attributes
    ----------
    number : int
        Grows with each change of the pod template; going back gives the old template a new number.
    cause : str
        The annotation `kubernetes.io/change-cause` of its time, or "".
    replica_set : str
        Name of the ReplicaSet that keeps its template.
    replicas : int
        Pods that it wants now: 0 for the versions of the past.
    image : str
        Of its first container.
    """

    number: int
    cause: str
    replica_set: str
    replicas: int
    image: str


def history(namespace: Namespace, name: str) -> tuple[Revision, ...]:
    """Return the revisions of a Deployment, oldest first, as `kubectl rollout history` does."""
    return tuple(_revision(item) for item in replica_sets(namespace, name))


def undo(namespace: Namespace, name: str, to_revision: int | None = None) -> Revision:
    """Give a Deployment the pod template of an earlier revision, as `kubectl rollout undo` does; return that revision.

    Parameters
    ----------
    to_revision : int, optional
        Otherwise the one before the current one.

    Raises
    ------
    UsageError
        No such revision is kept (`revisionHistoryLimit` keeps 10).

    Source: `rollback.go` of kubectl: the ReplicaSet's template without `pod-template-hash` replaces the Deployment's,
    with the annotations of its revision.
    """
    found = replica_sets(namespace, name)
    wanted = (
        [item for item in found if _revision(item).number == to_revision]
        if to_revision
        else found[-2:-1]
    )
    if not wanted:
        numbers = ", ".join(str(_revision(item).number) for item in found) or "aucune"
        raise UsageError(
            f"Revenir en arrière sur le Deployment « {name} »",
            f"la révision {to_revision or 'précédente'} n’est pas gardée (révisions : {numbers})",
            "Choisissez l’une de celles que montre « kubectl rollout history ».",
        )
    (chosen,) = wanted
    template: dict[str, Any] = copy.deepcopy(chosen["spec"]["template"])
    template["metadata"]["labels"].pop(_HASH, None)
    patch: list[dict[str, Any]] = [{"op": "replace", "path": "/spec/template", "value": template}]
    cause = chosen["metadata"].get("annotations", {}).get(CAUSE)
    if cause is not None:
        key = CAUSE.replace("/", "~1")
        patch.append({"op": "add", "path": f"/metadata/annotations/{key}", "value": cause})
    namespace.patch("deployment", name, patch)
    return _revision(chosen)


def replica_sets(namespace: Namespace, name: str) -> list[dict[str, Any]]:
    """Return the ReplicaSets of a Deployment, oldest revision first."""
    uid = namespace.get("deployment", name)["metadata"]["uid"]
    owned = [
        item
        for item in namespace.list("replicasets")
        if any(owner["uid"] == uid for owner in item["metadata"].get("ownerReferences", ()))
    ]
    return sorted(owned, key=lambda item: _revision(item).number)


def _revision(replica_set: dict[str, Any]) -> Revision:
    metadata, spec = replica_set["metadata"], replica_set["spec"]
    notes = metadata.get("annotations", {})
    return Revision(
        int(notes.get(REVISION, 0)),
        notes.get(CAUSE, ""),
        metadata["name"],
        spec["replicas"],
        short(spec["template"]["spec"]["containers"][0]["image"]),
    )
