"""Whether anything was changed in a namespace since an exercise began there."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from ..cluster import Namespace
from ..kube.refusals import ignoring

WORK = (
    "deployments.apps",
    "statefulsets.apps",
    "daemonsets.apps",
    "jobs.batch",
    "cronjobs.batch",
    "pods",
    "services",
    "configmaps",
    "secrets",
    "persistentvolumeclaims",
    "ingresses.networking.k8s.io",
    "networkpolicies.networking.k8s.io",
    "horizontalpodautoscalers.autoscaling",
)
"""What students make."""

_KINDS = (
    *WORK,
    "serviceaccounts",
    "resourcequotas",
    "limitranges",
    "roles.rbac.authorization.k8s.io",
    "rolebindings.rbac.authorization.k8s.io",
    "poddisruptionbudgets.policy",
)

_IDENTITY = ("uid", "name", "labels", "deletionTimestamp")


def fingerprint(namespace: Namespace) -> str:
    """Return what is the same as long as nobody makes, changes or deletes an object there.

    What controllers write (status, annotations) does not count; a container that is restarted stays the same pod.
    """
    digest = hashlib.sha256()
    for kind in _KINDS:
        with ignoring(403, 404):  # a cluster that does not serve it, or not to us
            for item in sorted(namespace.list(kind), key=lambda item: str(item["metadata"]["uid"])):
                digest.update(json.dumps(_wished(item), sort_keys=True).encode())
    return digest.hexdigest()[:32]


def _wished(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return what its author says of an object."""
    metadata = {name: item["metadata"].get(name) for name in _IDENTITY}
    rest = {name: value for name, value in item.items() if name not in ("metadata", "status")}
    return {**rest, "metadata": metadata}
