"""Which proxy leads to a server, as Go's programs decide it, hence kubectl. Pure.

Python's `proxy_bypass` knows no networks (`NO_PROXY=10.0.0.0/8`) and lets `no_proxy` win over `NO_PROXY`; every library
has rules of its own. These are those of `golang.org/x/net/http/httpproxy`.

Source: https://github.com/golang/net/blob/v0.57.0/http/httpproxy/proxy.go
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from urllib.parse import unquote, urlsplit

_PORTS = {"http": 80, "https": 443}


def of_server(server: str, environment: Mapping[str, str]) -> str | None:
    """Return the URL of the proxy that the environment's variables ask for; None for the direct way.

    Parameters
    ----------
    server : str
        The server's URL.
    environment : mapping
        `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`; each in lower case where it is not there in upper case.

    Raises
    ------
    ValueError
        A proxy's URL that is none.
    """
    parts = urlsplit(server)
    host, port = (parts.hostname or "").lower(), parts.port or _PORTS.get(parts.scheme)
    proxy = _variable(environment, f"{parts.scheme}_proxy")
    if not proxy or is_loopback(host) or _bypassed(host, port, _variable(environment, "no_proxy")):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def credentials(proxy: str) -> tuple[str, str] | None:
    """Return user and password of a proxy's URL."""
    parts = urlsplit(proxy)
    if parts.username is None:
        return None
    return unquote(parts.username), unquote(parts.password or "")


def is_loopback(host: str) -> bool:
    """Return whether a host name or address is this machine's own."""
    address = _address(host)
    return host == "localhost" if address is None else address.is_loopback


def _variable(environment: Mapping[str, str], name: str) -> str:
    return environment.get(name.upper()) or environment.get(name) or ""


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        found = ipaddress.ip_address(text.strip("[]"))
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return mapped or found


def _bypassed(host: str, port: int | None, no_proxy: str) -> bool:
    entries = [entry.strip().lower() for entry in no_proxy.split(",")]
    return "*" in entries or any(_matches(entry, host, port) for entry in entries if entry)


def _matches(entry: str, host: str, port: int | None) -> bool:
    """Return whether an entry means a host: a network, an address or a domain, with a port or for all ports."""
    address = _address(host)
    if "/" in entry:
        try:
            network = ipaddress.ip_network(entry, strict=False)
        except ValueError:
            return False
        return address is not None and address in network
    name, colon, digits = entry.rpartition(":")
    if not colon or (
        ":" in name and not name.startswith("[")
    ):  # no port; IPv6 has colons of its own
        name, digits = entry, ""
    if not name or (digits and digits != str(port)):
        return False
    if (wanted := _address(name)) is not None or address is not None:
        return wanted == address
    name = name[1:] if name.startswith("*.") else name
    return (
        host.endswith(name) if name.startswith(".") else host == name or host.endswith(f".{name}")
    )
