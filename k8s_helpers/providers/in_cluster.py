"""Who a process is that runs in a pod: the ServiceAccount that Kubernetes gives it.

Source: https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")


def present() -> bool:
    """Return whether this process runs in a pod that may speak to its cluster."""
    return bool(os.environ.get("KUBERNETES_SERVICE_HOST")) and (_ACCOUNT / "token").exists()


def namespace() -> str:
    """Return the namespace of this process's pod; "" where it is in none, or is given no account."""
    try:
        return (_ACCOUNT / "namespace").read_text(encoding="utf-8").strip() if present() else ""
    except OSError:
        return ""


def kubeconfig() -> dict[str, Any]:
    """Return a kubeconfig of this pod's account.

    It names the files: the kubelet renews the token about every hour, and what reads `tokenFile` follows.
    """
    host = os.environ["KUBERNETES_SERVICE_HOST"]
    port = os.environ.get("KUBERNETES_SERVICE_PORT", "443")
    server = f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"
    name = "pod"
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": name,
        "clusters": [
            {
                "name": name,
                "cluster": {"server": server, "certificate-authority": str(_ACCOUNT / "ca.crt")},
            }
        ],
        "users": [{"name": name, "user": {"tokenFile": str(_ACCOUNT / "token")}}],
        "contexts": [
            {
                "name": name,
                "context": {"cluster": name, "user": name, "namespace": namespace()},
            }
        ],
    }
