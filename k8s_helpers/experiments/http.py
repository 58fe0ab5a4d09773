"""One HTTP request whose answer is looked at: what traffic, which only counts, does not do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..cluster import ServiceAddress


@dataclass(frozen=True)
class Answer:
    """What came of a request.

    Attributes
    ----------
    status : int
        HTTP status; 0 where no answer came.
    version, pod : str or None
        What the course's programs say of themselves.
    body : str
        The answer, or why there is none.
    """

    status: int
    version: str | None = None
    pod: str | None = None
    body: str = ""


def get(
    address: str | ServiceAddress,
    path: str = "/",
    *,
    headers: Mapping[str, str] | None = None,
    timeout_s: float = 5.0,
) -> Answer:
    """Send one GET on a connection of its own; that nobody answers is an answer too.

    Parameters
    ----------
    address : str or ServiceAddress
        URL without a final slash, or what `Namespace.service_url` returned.
    headers : mapping, optional
        `Host` among them asks for another name than the URL's.
    """
    import urllib3

    url, own, tls = _way(address)
    try:
        with urllib3.PoolManager(retries=False, **tls) as pool:
            answer = pool.request(
                "GET",
                url + path,
                headers={**own, "Connection": "close", **(headers or {})},
                timeout=timeout_s,
            )
    except urllib3.exceptions.HTTPError as error:
        return Answer(0, body=str(error))
    return Answer(
        answer.status,
        answer.headers.get("X-App-Version"),
        answer.headers.get("X-Pod-Name"),
        answer.data.decode(errors="replace"),
    )


def _way(address: str | ServiceAddress) -> tuple[str, Mapping[str, str], dict[str, Any]]:
    """Return the URL, the headers and the TLS files that lead to an address."""
    if isinstance(address, str):
        return address.rstrip("/"), {}, {}
    files = {
        "ca_certs": address.ca_file,
        "cert_file": address.cert_file,
        "key_file": address.key_file,
    }
    tls = {name: str(path) for name, path in files.items() if path is not None}
    return address.url, address.headers, tls
