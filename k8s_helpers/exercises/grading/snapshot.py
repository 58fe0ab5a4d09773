"""What a student has made in a namespace, as plain manifests that another cluster can be given."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any

from ...cluster import Namespace
from ...kube.image_names import ImageNames
from ...kube.refusals import ignoring
from ..guard import VERSIONS_OF
from ..objects import all_containers, pod_specs

_SERVERS = frozenset(
    {"uid", "resourceVersion", "creationTimestamp", "generation", "managedFields"}
    | {"namespace", "selfLink", "ownerReferences", "finalizers", "generateName"}
)
_NOTES = (
    "kubectl.kubernetes.io/",
    "deployment.kubernetes.io/",
    "pv.kubernetes.io/",
    "volume.kubernetes.io/",
    "volume.beta.kubernetes.io/",
    "autoscaling.alpha.kubernetes.io/",
)
_OWN_NAMES = ImageNames()

_BORN = {("ConfigMap", "kube-root-ca.crt"), ("ServiceAccount", "default")}
"""What every namespace is born with."""
_COURSE = ("limite-de-l-exercice", "temoin-des-droits")
"""What the bench makes."""


def take(namespace: Namespace, names: ImageNames = _OWN_NAMES) -> list[dict[str, Any]]:
    """Return the objects of a namespace that nobody but the student has made, without what the server adds.

    Parameters
    ----------
    names : ImageNames
        What this cluster calls the course's images; they get their short names back.
    """
    made: list[dict[str, Any]] = []
    for kind, versions in VERSIONS_OF.items():
        with ignoring(403, 404):
            items = namespace.list(kind)
            made += [
                bare({**item, "apiVersion": versions[0]}, kind, names)
                for item in items
                if _is_own(item, kind)
            ]
    return made


def _is_own(item: Mapping[str, Any], kind: str) -> bool:
    metadata = item["metadata"]
    if (kind, metadata["name"]) in _BORN or "deletionTimestamp" in metadata:
        return False
    if kind == "Secret" and item.get("type", "Opaque") not in ("Opaque", "kubernetes.io/tls"):
        return False
    return not metadata.get("ownerReferences") and metadata["name"] not in _COURSE


def bare(item: Mapping[str, Any], kind: str, names: ImageNames = _OWN_NAMES) -> dict[str, Any]:
    """Return an object as one would write it: no status, nothing that only this cluster gave it."""
    made = copy.deepcopy(dict(item))
    made["kind"] = kind
    made.pop("status", None)
    metadata = {name: value for name, value in made["metadata"].items() if name not in _SERVERS}
    notes = metadata.pop("annotations", None) or {}
    if kept := {name: value for name, value in notes.items() if not name.startswith(_NOTES)}:
        metadata["annotations"] = kept
    made["metadata"] = metadata
    _forget_placement(made, kind)
    if names != _OWN_NAMES:
        for container in (item for pod in pod_specs(made) for item in all_containers(pod)):
            container["image"] = names.tag(str(container.get("image", "")))
    return made


def _forget_placement(made: dict[str, Any], kind: str) -> None:
    spec = made.get("spec")
    if not isinstance(spec, dict):
        return
    if kind == "Service":
        if spec.get("clusterIP") != "None":
            spec.pop("clusterIP", None)
            spec.pop("clusterIPs", None)
        for port in spec.get("ports") or ():
            port.pop("nodePort", None)
    elif kind == "PersistentVolumeClaim":
        spec.pop("volumeName", None)
    elif kind == "Pod":
        spec.pop("nodeName", None)
        for container in all_containers(spec):
            mounts = container.get("volumeMounts") or []
            container["volumeMounts"] = [mount for mount in mounts if not _injected(mount)]
        spec["volumes"] = [volume for volume in spec.get("volumes") or () if not _injected(volume)]
    elif kind == "Job":
        spec.pop("selector", None)
        for labels in _labels_of(spec):
            for name in [name for name in labels if name.endswith(("controller-uid", "job-name"))]:
                del labels[name]


def _injected(part: Mapping[str, Any]) -> bool:
    return str(part.get("name", "")).startswith("kube-api-access-")


def _labels_of(spec: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    labels = spec.get("template", {}).get("metadata", {}).get("labels")
    if isinstance(labels, dict):
        yield labels
