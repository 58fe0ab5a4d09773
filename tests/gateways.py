"""TLS on an Ingress, and Gateway API, as any cluster of the course has to serve them: embedded and kind alike."""

from __future__ import annotations

import base64
import socket
import ssl
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from certificates import Authority
from live import eventually

from k8s_helpers import Cluster, get, images
from k8s_helpers._progress import Silent
from k8s_helpers.cluster import Namespace

MANIFESTS = Path(__file__).parents[1] / "notebooks" / "manifests" / "04_services_et_ingress"


def shown_to(url: str, name: str, authority: Path | None) -> str:
    """Return the HTTP status line of a request by HTTPS, or why the client hangs up."""
    context = ssl.create_default_context(cafile=authority)
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    place = urlsplit(url)
    try:
        with (
            socket.create_connection((str(place.hostname), int(place.port or 0)), 10) as plain,
            context.wrap_socket(plain, server_hostname=name) as connection,
        ):
            request = f"GET / HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n"
            connection.sendall(request.encode())
            return connection.recv(12).decode()
    except ssl.SSLCertVerificationError as error:
        return error.verify_message


def tls_secret(certificate: Path, key: Path, name: str = "certificate") -> dict[str, Any]:
    """Return a Secret of the type that an Ingress asks for."""
    files = {"tls.crt": certificate, "tls.key": key}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name},
        "type": "kubernetes.io/tls",
        "data": {
            name: base64.b64encode(file.read_bytes()).decode() for name, file in files.items()
        },
    }


def ingress(host: str, service: str) -> dict[str, Any]:
    """Return an Ingress with TLS for one host."""
    backend = {"service": {"name": service, "port": {"number": 80}}}
    path = {"path": "/", "pathType": "Prefix", "backend": backend}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": "secure"},
        "spec": {
            "tls": [{"hosts": [host], "secretName": "certificate"}],
            "rules": [{"host": host, "http": {"paths": [path]}}],
        },
    }


def two_versions(cluster: Cluster, namespace: Namespace) -> tuple[str, str]:
    """Start the course's two applications, v1 and v2; return their Services."""
    names = ("boutique", "blog")
    for name, version in zip(names, ("v1", "v2"), strict=True):
        images.ensure(cluster, "vitrine", version, progress=Silent())
        namespace.apply(MANIFESTS / f"{name}.yaml")
    for name in names:
        namespace.wait_rollout(name, timeout_s=120)
    return names


def prove_tls(cluster: Cluster, namespace: Namespace, service: str, folder: Path) -> None:
    """A certificate is shown to who asks for its name, and to nobody else; a Secret that changes counts at once."""
    host = f"{namespace.name}.example"
    authority, stranger = Authority(folder), Authority(folder, "inconnue")
    url = cluster.ingress_url(tls=True)
    namespace.apply(tls_secret(*authority.signed(host)))
    namespace.apply(ingress(host, service))
    eventually(lambda: shown_to(url, host, authority.file) == "HTTP/1.1 200")
    assert "certificate" in shown_to(url, host, stranger.file)
    assert not shown_to(url, f"other.{host}", authority.file).startswith("HTTP")
    assert get(cluster.ingress_url(), headers={"Host": host}).status == 200  # by HTTP as well
    namespace.apply(tls_secret(*stranger.signed(host)))
    eventually(lambda: shown_to(url, host, stranger.file) == "HTTP/1.1 200")
    assert not shown_to(url, host, authority.file).startswith("HTTP")


def prove_gateway(cluster: Cluster, namespace: Namespace, services: tuple[str, str]) -> None:
    """Matches decide as the specification says, weights hold, and conditions say what is wrong."""
    cluster.install_gateway_api()
    host = f"route.{namespace.name}.example"
    listener = {"name": "http", "protocol": "HTTP", "port": 80}
    api = "gateway.networking.k8s.io/v1"
    namespace.apply(
        {
            "apiVersion": api,
            "kind": "Gateway",
            "metadata": {"name": "gate"},
            "spec": {"gatewayClassName": "cours", "listeners": [listener]},
        }
    )
    stable, canary = ({"name": name, "port": 80} for name in services)
    prefix = {"path": {"type": "PathPrefix", "value": "/api"}}
    tester = {"headers": [{"name": "X-Tester", "value": "yes"}]}
    route: dict[str, Any] = {
        "apiVersion": api,
        "kind": "HTTPRoute",
        "metadata": {"name": "route"},
        "spec": {
            "parentRefs": [{"name": "gate"}],
            "hostnames": [host],
            "rules": [
                {"matches": [prefix, tester], "backendRefs": [canary]},
                {"backendRefs": [{**stable, "weight": 9}, {**canary, "weight": 1}]},
            ],
        },
    }
    namespace.apply(route)
    namespace.wait("gateway", "gate", "Programmed", timeout_s=60)
    url = cluster.ingress_url()

    def version(path: str = "/", **headers: str) -> str | None:
        return get(url, path, headers={"Host": host, **headers}).version

    eventually(lambda: version("/api/info") == "v2")
    assert version("/apiculture") in ("v1", "v2")
    assert version(**{"X-Tester": "yes"}) == "v2"
    assert Counter(version() for _ in range(50)) == {"v1": 45, "v2": 5}
    assert conditions(namespace) == {"Accepted": "Accepted", "ResolvedRefs": "ResolvedRefs"}
    route["spec"]["rules"][1]["backendRefs"][1]["name"] = "nobody"
    namespace.apply(route)
    eventually(lambda: conditions(namespace)["ResolvedRefs"] == "BackendNotFound")
    assert (
        eventually(lambda: [get(url, headers={"Host": host}).status for _ in range(10)].count(500))
        == 1
    )
    namespace.delete_object("gateway", "gate")
    eventually(lambda: version() is None)


def conditions(namespace: Namespace) -> dict[str, str]:
    """Return type and reason of what a controller says of the route."""
    parents = namespace.get("httproute", "route").get("status", {}).get("parents") or ()
    return {one["type"]: one["reason"] for parent in parents for one in parent["conditions"]}
