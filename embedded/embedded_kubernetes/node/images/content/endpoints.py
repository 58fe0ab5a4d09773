"""Where a registry is asked: itself, or the mirror that stands for it; directly, or through a proxy.

(source: `hosts.toml` of containerd; https://docs.docker.com/engine/cli/proxy/)
"""

from __future__ import annotations

import ipaddress
import os
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from .... import paths

_DOCKER_HUB, _DOCKER_HUB_HOST = "docker.io", "registry-1.docker.io"
_EVERY_OTHER = "*"


@dataclass(frozen=True)
class RegistryEndpoint:
    """One server that is asked for a registry's images.

    Attributes
    ----------
    url : str
        Its address, without the protocol's own `/v2`.
    prefix : str
        What stands before a repository's path there, "" or "hub/".
    mirror_of : str
        The registry that it stands for; "" for the registry itself.
    """

    url: str
    prefix: str = ""
    mirror_of: str = ""

    def address(self, path: str, *what: str) -> str:
        """Return the address of something of a repository (`manifests`, `latest`)."""
        named = f"?ns={self.mirror_of}" if self.mirror_of else ""
        return f"{self.url}/v2/{self.prefix}{path}/{'/'.join(what)}{named}"


def variable() -> str:
    """Return the environment variable that names mirrors: `docker.io=https://mirror.example,*=http://10.0.0.5:5000`."""
    return paths.variable("REGISTRY_MIRRORS")


def mirrors() -> Mapping[str, str]:
    """Return the mirrors by registry; `*` stands for every registry that is not this machine's own."""
    pairs = (text.partition("=") for text in os.environ.get(variable(), "").split(","))
    return {domain.strip(): url.strip().rstrip("/") for domain, _, url in pairs if url.strip()}


def endpoint(domain: str) -> RegistryEndpoint:
    """Return the server to ask for the images of a registry.

    A mirror stands in its place: the registry itself is not asked then. One on this machine is spoken to in plain HTTP.
    """
    known = mirrors()
    mirror = known.get(domain) or ("" if is_loopback(domain) else known.get(_EVERY_OTHER, ""))
    if mirror:
        parts = urlsplit(mirror if "://" in mirror else f"https://{mirror}")
        path = parts.path.strip("/").removeprefix("v2").strip("/")
        return RegistryEndpoint(
            f"{parts.scheme}://{parts.netloc}", f"{path}/" if path else "", domain
        )
    return direct(domain)


def direct(domain: str) -> RegistryEndpoint:
    """Return a registry itself, whatever stands for it: what is written must not go to a mirror."""
    host = _DOCKER_HUB_HOST if domain == _DOCKER_HUB else domain
    return RegistryEndpoint(f"{'http' if is_loopback(host) else 'https'}://{host}")


def is_loopback(host: str) -> bool:
    """Return whether a host (with a port or not) is this machine itself."""
    name = urlsplit(f"//{host}").hostname or ""
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def proxy(url: str) -> str | None:
    """Return the proxy that the environment names for an address, None where it is asked directly.

    `NO_PROXY` holds names (with all below them), addresses, networks and `*`, with a port or not.
    """
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    known = urllib.request.getproxies_environment()
    named = known.get(parts.scheme) or known.get("all")
    if not named or is_loopback(parts.netloc) or _excluded(host, port, known.get("no", "")):
        return None
    return named if "://" in named else f"http://{named}"


def _excluded(host: str, port: int | None, no_proxy: str) -> bool:
    for entry in filter(None, (text.strip() for text in no_proxy.split(","))):
        if entry == "*":
            return True
        try:
            if ipaddress.ip_address(host) in ipaddress.ip_network(entry, strict=False):
                return True
        except ValueError:
            name, _, wanted = entry.partition(":")
            name = name.removeprefix("*").lstrip(".").lower()
            matches = host == name or host.endswith(f".{name}")
            if matches and (not wanted or wanted == str(port)):
                return True
    return False
