"""Gateway API, which does not come with Kubernetes: its definitions, and their installation into a cluster.

(source: https://gateway-api.sigs.k8s.io/guides/getting-started/, channel "standard"; `toolchain/gateway_api` writes
the file)
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from .._errors import WaitTimeoutError
from ..kube.api import ApiSession
from ..kube.refusals import ignoring
from ..kube.waiting import wait_until

VERSION = "v1.6.1"
GATEWAY_CLASS = "cours"
"""The class of Gateways that the course's controllers serve, on every provider."""

_FILE = Path(__file__).with_name("manifests") / f"gateway-api-{VERSION}.yaml"
_PATH = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
_CLASSES = "/apis/gateway.networking.k8s.io/v1/gatewayclasses"
_TIMEOUT_S = 60.0


def install(api: ApiSession, controller: str) -> None:
    """Add the definitions and the class that are missing, and return once the API server serves their kinds.

    Those that are there, of whatever version, stay as they are.

    Parameters
    ----------
    api : ApiSession
        With the rights to add definitions.
    controller : str
        Name of the controller that serves the class (`spec.controllerName`).

    Raises
    ------
    WaitTimeoutError
        The API server does not take them up.
    ApiStatusError
        It refuses them.
    """
    wanted = _definitions()
    there = {one["metadata"]["name"] for one in api.request("GET", _PATH)["items"]}
    for definition in wanted:
        if definition["metadata"]["name"] not in there:
            api.request("POST", _PATH, body=definition)
    # "Established" comes a moment too early: the collection itself says that it is served.
    wait_until(
        lambda: [one for one in map(_collection, wanted) if not _served(api, one)],
        _TIMEOUT_S,
        lambda missing: WaitTimeoutError(
            "Installer Gateway API",
            f"le serveur d’API ne sert pas encore : {', '.join(missing)}",
            "Regardez « kubectl get crd », puis recommencez.",
        ),
        done=lambda missing: not missing,
    )
    if api.find(f"{_CLASSES}/{GATEWAY_CLASS}") is None:
        gateway_class = {
            "apiVersion": "gateway.networking.k8s.io/v1",
            "kind": "GatewayClass",
            "metadata": {"name": GATEWAY_CLASS},
            "spec": {"controllerName": controller},
        }
        api.request("POST", _CLASSES, body=gateway_class)


def _definitions() -> list[dict[str, Any]]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return list(yaml.load_all(_FILE.read_text(encoding="utf-8"), Loader=loader))


def _served(api: ApiSession, path: str) -> bool:
    """Return whether a collection answers: it is not found at first (404), then being made ready (429)."""
    with ignoring(404, 429):
        api.request("GET", path)
        return True
    return False


def _collection(definition: dict[str, Any]) -> str:
    """Return the path of the objects that a definition makes known."""
    spec = definition["spec"]
    return f"/apis/{spec['group']}/{spec['versions'][0]['name']}/{spec['names']['plural']}"
