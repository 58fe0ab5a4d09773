"""The one HTTP way to a Service: an address, together with all that a request to it must carry.

An answer that a program looks at is asked for here; the traffic, which counts lost requests, has a client of its own
(`measure.traffic`). `urllib3` is imported at the first request, as `import k8s_helpers` must be quick.
"""

from __future__ import annotations

import json
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, Self
from urllib.parse import urlsplit

from .._errors import WaitTimeoutError
from . import proxies

if TYPE_CHECKING:
    import urllib3

LONGEST_BODY = 16 * 2**20
"""Of an answer that is kept, in bytes."""


def tls_context(
    *, ca_data: bytes | None = None, ca_file: Path | str | None = None, verify: bool = True
) -> ssl.SSLContext:
    """Return what a client trusts, the API server's as a Service's: an authority's PEM, or the system's.

    One context for the API server, for Services and for the traffic.

    Parameters
    ----------
    ca_data, ca_file : optional
        The PEM, as bytes or as a file.
    verify : bool
        Whether the server's certificate is checked at all.
    """
    made = ssl.create_default_context(
        cafile=None if ca_file is None else str(ca_file),
        cadata=None if ca_data is None else ca_data.decode(),
    )
    # Clusters' own authorities rarely have every extension that the strict mode of Python 3.13 asks for.
    made.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if not verify:
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    return made


class Dialogue(Protocol):
    """A program that runs elsewhere and is talked to by its standard streams; see `streams.Conversation`."""

    @property
    def complaint(self) -> str:
        """What it has said of its end."""

    def send(self, data: bytes, /) -> None:
        """Write to its standard input."""

    def output(self) -> Iterator[bytes]:
        """Yield what it writes on standard output."""

    def close(self) -> None:
        """End it."""


@dataclass(frozen=True)
class InsideAddress:
    """How a pod of the cluster reaches a Service, and how such a pod is had.

    Attributes
    ----------
    url : str
        With the Service's own address, so that no request waits for a name.
    run : callable
        Runs a program (its words) in the course's own pod.
    """

    url: str
    run: Callable[[Sequence[str]], Dialogue] = field(repr=False)

    def at(self, path: str) -> Self:
        """Return the address of a page; see `ServiceAddress.at`."""
        return replace(self, url=_page(self.url, path))


@dataclass(frozen=True)
class ServiceAddress:
    """How a client outside the cluster reaches a Service.

    Attributes
    ----------
    url : str
        Without a final slash.
    via : str
        "node-port", or "api-proxy" where only that leads there (slower: it adds the API server to the way).
    headers : mapping
        What each request must carry (who we are, for the API proxy; nothing for a NodePort).
    ca_file, cert_file, key_file : Path or None
        TLS material for the API proxy, in private files of the cluster's own folder.
    verify : bool
        Whether the server's certificate is checked.
    server_hostname : str or None
        Name expected in that certificate, where it is not the address.
    proxy : str or None
        HTTP proxy that leads there.
    inside : InsideAddress or None
        Where traffic leaves from and goes to instead, where the API server is the only way from here: a request that it
        passes on is no measure of the Service.
    """

    url: str
    via: Literal["node-port", "api-proxy"] = "node-port"
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    verify: bool = True
    server_hostname: str | None = None
    proxy: str | None = field(default=None, repr=False)
    inside: InsideAddress | None = field(default=None, repr=False)

    def at(self, path: str) -> Self:
        """Return the address of a page of this Service ("cpu?ms=20"), with all that leads there."""
        inside = None if self.inside is None else self.inside.at(path)
        return replace(self, url=_page(self.url, path), inside=inside)

    def answers(self, closing_s: float) -> bool:
        """Return whether a program takes connections at this address now.

        An engine's port mapping accepts them in the name of a program that may not be there, then closes them.

        Parameters
        ----------
        closing_s : float
            How long that may take: a connection still open then has a program behind it.
        """
        parts = urlsplit(self.url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        try:
            with socket.create_connection((parts.hostname or "", port), timeout=2.0) as connection:
                connection.settimeout(closing_s)
                return bool(connection.recv(1))
        except TimeoutError:
            return True  # it waits for a request
        except OSError:
            return False

    def ssl_context(self) -> ssl.SSLContext | None:
        """Return how the server is checked and who we are for it; None for plain HTTP."""
        if not self.url.startswith("https:"):
            return None
        context = tls_context(ca_file=self.ca_file, verify=self.verify)
        if self.cert_file is not None:
            context.load_cert_chain(self.cert_file, self.key_file)
        return context


def _page(url: str, path: str) -> str:
    return f"{url.rstrip('/')}/{path.lstrip('/')}"


@dataclass(frozen=True)
class Answer:
    """What came of a request; true where it is a good answer.

    Attributes
    ----------
    url : str
        Who was asked.
    status : int
        HTTP status; 0 where no answer came.
    version, pod : str or None
        What the course's programs say of themselves.
    body : str
        The answer, or why there is none.
    headers : mapping
        Of the answer, by name in lower case.
    """

    url: str
    status: int
    version: str | None = None
    pod: str | None = None
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether a program gave a good answer."""
        return 200 <= self.status < 400

    def __bool__(self) -> bool:
        return self.ok

    def json(self) -> Any:
        """Return the body's JSON; `ValueError` where it has none."""
        return json.loads(self.body)

    def require(self) -> Self:
        """Return the answer where it is a good one.

        Raises
        ------
        WaitTimeoutError
            Nobody answered, or with an error.
        """
        if self.ok:
            return self
        raise WaitTimeoutError(
            f"Demander {self.url}",
            f"HTTP {self.status} : {self.body[:300]}" if self.status else self.body,
            "Regardez « kubectl get pods,endpointslices » et « kubectl logs », puis recommencez.",
        )


def get(
    address: str | ServiceAddress,
    path: str = "/",
    *,
    headers: Mapping[str, str] | None = None,
    timeout_s: float = 5.0,
) -> Answer:
    """Send one GET on a connection of its own; that nobody answers is an answer too. See `request`."""
    return request("GET", address, path, headers=headers, timeout_s=timeout_s)


def post(
    address: str | ServiceAddress, path: str = "/", body: Any = None, *, timeout_s: float = 5.0
) -> Answer:
    """Send one POST, of an object as JSON or of nothing; see `request`."""
    data = None if body is None else json.dumps(body).encode()
    headers = {} if data is None else {"Content-Type": "application/json"}
    return request("POST", address, path, body=data, headers=headers, timeout_s=timeout_s)


def request(
    method: str,
    address: str | ServiceAddress,
    path: str = "/",
    *,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    timeout_s: float = 5.0,
) -> Answer:
    """Send one request on a connection of its own, straight or by the address's proxy; follow no redirection.

    Parameters
    ----------
    address : str or ServiceAddress
        URL without a final slash, or what `Namespace.service_url` returned.
    path : str
        From the first slash on; "" for the address's own page.
    headers : mapping, optional
        `Host` among them asks for another name than the URL's.
    timeout_s : float
        Longest silence, and longest time for the whole answer, in seconds.

    Returns
    -------
    Answer
        Of status 0 where nobody answers within `timeout_s`, or more than `LONGEST_BODY` bytes come.
    """
    import urllib3

    place = ServiceAddress(address.rstrip("/")) if isinstance(address, str) else address
    url = place.url + path
    end_s = time.monotonic() + timeout_s
    try:
        with pool(place.ssl_context(), place.server_hostname, place.proxy) as manager:
            response = manager.request(
                method,
                url,
                body=body,
                headers={**place.headers, "Connection": "close", **(headers or {})},
                timeout=timeout_s,
                retries=False,
                preload_content=False,
            )
            try:
                text = _whole(response, end_s).decode(errors="replace")
            finally:
                response.close()
    except urllib3.exceptions.HTTPError as error:
        return Answer(url, 0, body=str(error))
    given = {name.lower(): value for name, value in response.headers.items()}
    version, pod = given.get("x-app-version"), given.get("x-pod-name")
    return Answer(url, response.status, version, pod, text, given)


def pool(
    context: ssl.SSLContext | None, server_hostname: str | None, proxy: str | None, maxsize: int = 1
) -> urllib3.PoolManager:
    """Return connections that check a server as `context` does, by a proxy where there is one.

    Parameters
    ----------
    context : SSLContext or None
        None for plain HTTP.
    server_hostname : str or None
        Name expected in the server's certificate, where it is not the address.
    proxy : str or None
        Its URL, with its user and password.
    maxsize : int
        How many connections are kept.
    """
    import urllib3

    options: dict[str, Any] = {"maxsize": maxsize}
    if context is not None:
        options |= {"ssl_context": context, "cert_reqs": context.verify_mode}
        if context.verify_mode == ssl.CERT_NONE:  # asked for in the kubeconfig, as with kubectl
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
        if server_hostname:
            options |= {"server_hostname": server_hostname, "assert_hostname": server_hostname}
    if not proxy:
        return urllib3.PoolManager(**options)
    pair = proxies.credentials(proxy)
    if pair is not None:
        options["proxy_headers"] = urllib3.make_headers(proxy_basic_auth=":".join(pair))
    return urllib3.ProxyManager(proxy, **options)


def _whole(response: urllib3.BaseHTTPResponse, end_s: float) -> bytes:
    """Read an answer to its end; `HTTPError` where it drips for longer, or is longer, than it may."""
    import urllib3

    body = bytearray()
    while chunk := response.read1(2**16):
        body += chunk
        if len(body) > LONGEST_BODY:
            raise urllib3.exceptions.HTTPError(f"réponse de plus de {LONGEST_BODY >> 20} Mo")
        if time.monotonic() > end_s:
            raise urllib3.exceptions.HTTPError("réponse inachevée dans le temps imparti")
    return bytes(body)
