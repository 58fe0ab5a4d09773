"""Where a Service answers: its NodePort on loopback, or the API server's proxy and a pod for what is measured."""

from __future__ import annotations

import ssl
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from embedded_kubernetes.files import write_whole

from .._errors import UsageError, WaitTimeoutError
from ..kube.api import ApiSession
from ..kube.http import InsideAddress, ServiceAddress
from ..kube.waiting import wait_until
from ..providers.base import Provider
from .sentinel import Sentinel

_PORT_RETRY_S = 0.02


def of_service(
    api: ApiSession,
    provider: Provider,
    service: Mapping[str, Any],
    port: int | str | None,
    timeout_s: float,
) -> ServiceAddress:
    """Return where a Service answers, once it does.

    Parameters
    ----------
    port : int or str, optional
        By number or name; the first otherwise.
    timeout_s : float
        How long to wait for a ready pod and an open port; 0 takes the address as it is.

    Raises
    ------
    UsageError
        The Service has no such port.
    WaitTimeoutError
        No pod becomes ready, or the port stays closed.
    """
    end_s = time.monotonic() + timeout_s
    chosen = choose_port(service, port)
    if timeout_s:
        _wait_endpoints(api, service["metadata"], timeout_s)
    url = provider.node_port_url(chosen["nodePort"]) if chosen.get("nodePort") else None
    if url is None:
        address = through_api(api, service, chosen, provider.kubeconfig.parent / "tls")
        if provider.kind != "existing":
            return address  # the API server is on this machine: its proxy is near enough to measure through
        return replace(address, inside=inside_address(api, provider, service, chosen))
    address = ServiceAddress(url.rstrip("/"), "node-port")
    if timeout_s:
        wait_until(
            lambda: address.answers(provider.closing_s),
            end_s - time.monotonic(),
            lambda _: WaitTimeoutError(
                f"Joindre le Service « {service['metadata']['name']} » sur {url}",
                f"le port reste fermé après {timeout_s:.0f} s",
                "« k8s-lab status » dit l’état du cluster ; un pare-feu local peut aussi fermer ce port.",
            ),
            every_s=_PORT_RETRY_S,
        )
    return address


def _wait_endpoints(api: ApiSession, service: Mapping[str, Any], timeout_s: float) -> None:
    name, namespace = service["name"], service["namespace"]
    query = {"labelSelector": f"kubernetes.io/service-name={name}"}
    path = f"/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices"
    with (
        api.watch(path, query=query, timeout_s=timeout_s) as watch,
        Sentinel(api, namespace, measuring=False, on_trouble=watch.close) as sentinel,
    ):
        for event in watch:
            for endpoint in event.object.get("endpoints") or ():
                if event.type != "DELETED" and endpoint.get("conditions", {}).get("ready"):
                    return
    sentinel.check()
    raise WaitTimeoutError(
        f"Joindre le Service « {name} » pendant {timeout_s:.0f} s",
        "aucun pod prêt ne correspond à son sélecteur",
        f"Comparez « kubectl -n {namespace} get pods --show-labels » avec le sélecteur du Service.",
    )


def choose_port(service: Mapping[str, Any], wanted: int | str | None) -> dict[str, Any]:
    """Return the Service's port of that number or name; the first where none is asked for.

    Raises
    ------
    UsageError
        The Service has no such port.
    """
    ports: list[dict[str, Any]] = service["spec"].get("ports", [])
    for port in ports:
        if wanted is None or wanted in (port["port"], port.get("name")):
            return port
    names = ", ".join(
        f"{port['port']}" + (f" ({port['name']})" if port.get("name") else "") for port in ports
    )
    raise UsageError(
        f"Trouver le port {wanted} du Service « {service['metadata']['name']} »",
        f"il a : {names or 'aucun port'}",
        "Donnez l’un de ces numéros ou de ces noms.",
    )


def inside_address(
    api: ApiSession, provider: Provider, service: Mapping[str, Any], port: Mapping[str, Any]
) -> InsideAddress | None:
    """Return where a pod of the cluster finds the Service; None for a mere name of something elsewhere."""
    from . import traffic_pods  # few need it, and all measure imports

    metadata, spec = service["metadata"], service["spec"]
    host = spec.get("clusterIP", "")
    if host == "None":  # headless: its name stands for its pods
        host = f"{metadata['name']}.{metadata['namespace']}.svc"
    if not host:
        return None
    host = f"[{host}]" if ":" in host else host
    return InsideAddress(f"http://{host}:{port['port']}", traffic_pods.of(api, provider).run)


def through_api(
    api: ApiSession, service: Mapping[str, Any], port: Mapping[str, Any], folder: Path
) -> ServiceAddress:
    """Return the Service's address behind the API server's proxy.

    Parameters
    ----------
    folder : Path
        Where files for TLS are written.

    Source: https://kubernetes.io/docs/tasks/access-application-cluster/access-cluster-services/
    """
    metadata = service["metadata"]
    path = f"/api/v1/namespaces/{metadata['namespace']}/services/{metadata['name']}:{port['port']}/proxy"
    headers = {name: value for name, value in api.headers().items() if name == "Authorization"}
    access = api.access
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return ServiceAddress(
        f"{api.server}{path}",
        "api-proxy",
        headers,
        _write(folder / "ca.crt", access.ca_pem),
        _write(folder / "client.crt", access.cert_pem),
        _write(folder / "client.key", access.key_pem),
        verify=access.tls is None or access.tls.verify_mode != ssl.CERT_NONE,
        server_hostname=access.server_hostname,
        proxy=access.proxy,
    )


def _write(path: Path, content: bytes | None) -> Path | None:
    if content is None:
        return None
    if not path.exists() or path.read_bytes() != content:
        write_whole(path, content, private=True)  # others may be reading it
    return path
