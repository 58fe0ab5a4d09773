"""What lets the nodes of a cluster pull from a registry that is not open to all: a Secret, and who uses it."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from embedded_kubernetes.node.images import publishing

from .. import _french
from .._errors import UsageError

PULL_SECRET = "k8s-helpers-pull"
"""Name of the Secret."""

_TYPE, _KEY = "kubernetes.io/dockerconfigjson", ".dockerconfigjson"


def read(path: Path, references: Iterable[str]) -> dict[str, Any]:
    """Return a Docker configuration that holds identities for the registries of some images, and no other.

    A teacher's `~/.docker/config.json` may hold identities of other places: those stay out. What a credential helper
    keeps is asked of it.

    Parameters
    ----------
    path : Path
        A Docker configuration, or a Secret's `.dockerconfigjson`.
    references : iterable of str
        Images that must be pulled.

    Raises
    ------
    UsageError
        Not a Docker configuration, or one without an identity for one of the registries.
    """
    tried = f"Lire le secret de tirage « {path} »"
    try:
        plain = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise UsageError(
            tried, _french.system(error), "Donnez par exemple ~/.docker/config.json."
        ) from None
    except ValueError:
        plain = None
    if not isinstance(plain, dict):
        raise UsageError(
            tried,
            "ce n’est pas une configuration de Docker (du JSON avec « auths »)",
            "« docker login REGISTRE » écrit ~/.docker/config.json.",
        )
    entries = {}
    for domain in publishing.registries(references):
        pair = publishing.identity(plain, domain)
        if pair is None:
            raise UsageError(
                tried,
                f"il n’a pas d’identité utilisable par un nœud pour {domain}",
                f"« docker login {domain} » avec un jeton qui ne permet que de lire, puis recommencez.",
            )
        joined = base64.b64encode(":".join(pair).encode()).decode()
        entries[publishing.login_key(domain)] = {"auth": joined}
    return {"auths": entries}


def secret(config: Mapping[str, Any], labels: Mapping[str, str]) -> dict[str, Any]:
    """Return the Secret, for one namespace.

    Parameters
    ----------
    config : mapping
        From `read`.
    labels : mapping
        By which the class knows its own.
    """
    data = base64.b64encode(json.dumps(config, sort_keys=True).encode()).decode()
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": PULL_SECRET, "labels": dict(labels)},
        "type": _TYPE,
        "data": {_KEY: data},
    }


def default_account(labels: Mapping[str, str]) -> dict[str, Any]:
    """Return the ServiceAccount that pods have which name none, with the Secret for their images.

    Kubernetes makes it in each namespace by itself: this is applied over it (server-side). A pod whose manifest names
    another ServiceAccount has no Secret: that account must name it too.

    Source: https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account/
    """
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": "default", "labels": dict(labels)},
        "imagePullSecrets": [{"name": PULL_SECRET}],
    }
