"""The downward API: what a pod's own fields are, for its variables and its volumes.

(source: `pkg/fieldpath/fieldpath.go`, `podFieldSelectorRuntimeValue` of `pkg/kubelet/kubelet_pods.go`)
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from ..records import Object


class FieldError(Exception):
    """A field that the downward API does not give."""


def field(pod: Object, path: str, pod_ip: str, host_ip: str) -> str:
    """Return a field of a pod as text.

    Parameters
    ----------
    pod : dict
        The pod.
    path : str
        `metadata.name`, `metadata.labels['app']`, `status.podIP` …
    pod_ip : str
        The address that the pod's programs can bind and reach.
    host_ip : str
        The node's.

    Raises
    ------
    FieldError
        No such field.
    """
    meta, spec = pod["metadata"], pod["spec"]
    if path.endswith("']") and "['" in path:
        base, key = path[:-2].split("['", 1)
        if base in ("metadata.labels", "metadata.annotations"):
            text: str = (meta.get(base.partition(".")[2]) or {}).get(key, "")
            return text
        raise FieldError(f'fieldPath "{base}" does not support subscript')
    simple = {
        "metadata.name": meta["name"],
        "metadata.namespace": meta["namespace"],
        "metadata.uid": meta["uid"],
        "spec.nodeName": spec.get("nodeName", ""),
        "spec.serviceAccountName": spec.get("serviceAccountName", ""),
        "status.hostIP": host_ip,
        "status.hostIPs": host_ip,
        "status.podIP": pod_ip,
        "status.podIPs": pod_ip,
    }
    if path in simple:
        return str(simple[path])
    if path in ("metadata.labels", "metadata.annotations"):
        return format_map(meta.get(path.partition(".")[2]) or {})
    raise FieldError(f"unsupported fieldPath: {path}")


def format_map(values: Mapping[str, str]) -> str:
    """Return labels or annotations as the downward API's files show them: `key="value"` lines, sorted."""
    lines = (f"{key}={json.dumps(values[key], ensure_ascii=False)}" for key in sorted(values))
    return "\n".join(lines)
