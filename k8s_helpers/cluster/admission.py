"""What the API server says to a pod before it takes it: a namespace's Pod Security levels, its quotas.

Source: https://kubernetes.io/docs/concepts/security/pod-security-admission/
https://kubernetes.io/docs/concepts/policy/resource-quotas/
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..kube.api import MERGE_PATCH, ApiSession, ApiStatusError
from ..kube.waiting import wait_until

LABEL = "pod-security.kubernetes.io"
_SEEN_TIMEOUT_S, _RETRY_S = 5.0, 0.1
_FORBIDDEN = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "essai"},
    "spec": {
        "containers": [{"name": "essai", "image": "essai", "securityContext": {"privileged": True}}]
    },
}
"""What every level but "privileged" speaks against."""
_MUCH = {"cpu": "1M", "memory": "1Pi"}
_GREEDY = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "essai"},
    "spec": {
        "containers": [
            {
                "name": "essai",
                "image": "essai",
                "resources": {"requests": _MUCH, "limits": _MUCH},
            }
        ]
    },
}
"""What no quota on processors or memory lets in."""


def set_levels(
    api: ApiSession, namespace: str, *, enforce: str | None = None, warn: str | None = None
) -> None:
    """Give a namespace these levels and no other, and wait until admission goes by them.

    Admission reads namespaces from a copy of its own, which follows a moment later. Where it does not within
    `_SEEN_TIMEOUT_S` (a cluster without Pod Security), that is no error: what is asked for next will show it.

    Parameters
    ----------
    namespace : str
        Its real name.
    enforce, warn : str, optional
        "baseline" or "restricted"; none takes an earlier level away.
    """
    levels = {"enforce": enforce, "warn": warn, "audit": None}
    labels = {f"{LABEL}/{mode}": level for mode, level in levels.items()}
    path = f"/api/v1/namespaces/{namespace}"
    api.request("PATCH", path, body={"metadata": {"labels": labels}}, content_type=MERGE_PATCH)

    def followed() -> bool:
        taken, said = judge(api, namespace, _FORBIDDEN)
        return taken == (enforce is None) and ("PodSecurity" in said) == bool(enforce or warn)

    wait_until(followed, _SEEN_TIMEOUT_S, every_s=_RETRY_S)


def wait_quota(api: ApiSession, namespace: str, quota: Mapping[str, Any]) -> None:
    """Wait until admission goes by a quota that its controller has counted already.

    Where a namespace has another quota, admission reads them from a copy of its own, which follows a moment later.
    Only a quota on what containers ask for can be tried without making anything; others are not waited for. Where
    admission does not follow within `_SEEN_TIMEOUT_S`, that is no error: see `set_levels`.

    Parameters
    ----------
    namespace : str
        Its real name.
    quota : mapping
        The ResourceQuota.
    """
    asked = {key.rpartition(".")[2] for key in quota["spec"].get("hard", {})}
    if asked.isdisjoint(_MUCH):
        return
    said = f"quota: {quota['metadata']['name']},"
    wait_until(lambda: said in judge(api, namespace, _GREEDY)[1], _SEEN_TIMEOUT_S, every_s=_RETRY_S)


def judge(api: ApiSession, namespace: str, pod: Mapping[str, Any]) -> tuple[bool, str]:
    """Return whether a pod would be taken, and what the API says of it: the refusal, or its warnings.

    Asked with `dryRun`: nothing starts.
    """
    warnings: list[str] = []
    path = f"/api/v1/namespaces/{namespace}/pods"
    try:
        api.request("POST", path, query={"dryRun": "All"}, body=pod, warnings=warnings)
    except ApiStatusError as error:
        return False, str(error.status.get("message", ""))
    return True, " ".join(warnings)
