"""The one client of the API server: JSON requests and watches over one pool of connections.

Kubernetes' objects stay plain dictionaries. `kubernetes` and `urllib3` are imported at the first connection, as
`import k8s_helpers` must be quick.
"""

from __future__ import annotations

import copy
import json
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from . import _kubeconfig, _proxies
from ._api_paths import require_path
from ._errors import ClusterUnreachableError
from ._refusals import (
    ApiStatusError,
    ClusterStoppedError,
    explain,
    explain_network,
    passing,
)
from ._watch import PATIENCE_S, RETRY_S, Watch, WatchEvent

if TYPE_CHECKING:
    import urllib3

__all__ = ["ApiSession", "ApiStatusError", "ClusterStoppedError", "Watch", "WatchEvent"]

JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"
JSON_PATCH = "application/json-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"

CONNECT_TIMEOUT_S = 5.0
_WARNING = re.compile(r'\d{3} \S+ "((?:[^"\\]|\\.)*)"')


class ApiSession:
    """JSON requests to one API server; safe to use from several threads.

    Parameters
    ----------
    kubeconfig : Path
        The file that says where and who.
    context : str, optional
        Its context; the current one otherwise.
    stopped : callable, optional
        Asked where the server does not answer: the error that says that its cluster has stopped, None where it may
        still come back.
    troubles : callable, optional
        Says in French what is wrong with the cluster's own components, or was since an instant (seconds since the
        epoch): for the error of who waits in vain.

    Raises
    ------
    ClusterUnreachableError
        Where the kubeconfig is unusable. The server itself is not asked yet.
    """

    def __init__(
        self,
        kubeconfig: Path,
        context: str | None = None,
        *,
        stopped: Callable[[], ClusterStoppedError | None] = lambda: None,
        troubles: Callable[[float], Sequence[str]] = lambda since_wall_s: (),
    ) -> None:
        self.access = _kubeconfig.load(kubeconfig, context)
        self._pool = _pool(self.access)
        self._stopped = stopped
        self.troubles = troubles
        self._patience_s = 0.0
        self._acting_as: str | None = None

    @property
    def server(self) -> str:
        """The API server's URL."""
        return self.access.server

    @contextmanager
    def patient(self) -> Iterator[None]:
        """Within the block, send again what fails because the server is away or in trouble, `PATIENCE_S` at most.

        For what must survive the death of a component that is then brought back. A request may so be done twice: those
        of the block must bear it, as server-side apply does.
        """
        before, self._patience_s = self._patience_s, PATIENCE_S
        try:
            yield
        finally:
            self._patience_s = before

    def acting_as(self, user: str) -> ApiSession:
        """Return a session whose requests are judged as those of another user, as with `kubectl --as`.

        Parameters
        ----------
        user : str
            "system:serviceaccount:NAMESPACE:NAME" for a ServiceAccount: the server adds its groups.

        Source: https://kubernetes.io/docs/reference/access-authn-authz/user-impersonation/
        """
        other = copy.copy(self)
        other._acting_as = user
        return other

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        content_type: str = JSON,
        accept: str = JSON,
        timeout_s: float = 30.0,
        warnings: list[str] | None = None,
    ) -> dict[str, Any]:
        """Send one request and return the object of the answer.

        Parameters
        ----------
        method : str
            "GET", "POST", "PUT", "PATCH" or "DELETE".
        path : str
            From the root: `/api/v1/namespaces/default/pods`.
        query : mapping, optional
            Parameters of the URL; those that are None are left out.
        body : object, optional
            Sent as JSON; text and bytes are sent as they are.
        content_type : str
            Of the body; a PATCH is told by it how to read it.
        accept : str
            Form of the answer that is asked for, some kind of JSON.
        timeout_s : float
            Longest silence of the server.
        warnings : list of str, optional
            Gets what the server warns of, which kubectl shows as "Warning: …".

        Raises
        ------
        UsageError
            A part of the path is empty: nothing is sent.
        ApiStatusError
            The server refuses.
        ClusterUnreachableError
            It does not answer, or it is not the one that the kubeconfig means.
        """
        give_up_s = time.monotonic() + self._patience_s
        while True:
            try:
                response = self._send(method, path, query, body, content_type, timeout_s, accept)
                if warnings is not None:
                    warnings += _warned(response.headers.getlist("Warning"))
                data = self._body(response, method, path)
                return json.loads(data) if data else {}
            except (ClusterUnreachableError, ApiStatusError) as error:
                if not passing(error) or time.monotonic() >= give_up_s:
                    raise
            time.sleep(RETRY_S)

    def text(
        self, path: str, *, query: Mapping[str, Any] | None = None, timeout_s: float = 30.0
    ) -> str:
        """Return an answer that is not JSON: logs, `/version`, metrics in text. Raises as `request`."""
        response = self._send("GET", path, query, None, JSON, timeout_s, accept="*/*")
        return self._body(response, "GET", path).decode(errors="replace")

    def watch(
        self,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        resource_version: str | None = None,
        timeout_s: float | None = None,
    ) -> Watch:
        """List then watch a collection, for as long as is asked; see `Watch`.

        Parameters
        ----------
        path : str
            A collection: `/api/v1/namespaces/x/pods`.
        query : mapping, optional
            `labelSelector`, `fieldSelector`.
        resource_version : str, optional
            Watch from there on, without listing first.
        timeout_s : float, optional
            The iteration ends after this many seconds; otherwise it goes on until `close`.
        """
        return Watch(self, path, dict(query or {}), resource_version, timeout_s)

    def headers(self, accept: str = JSON) -> dict[str, str]:
        """Return the headers that every request to this server carries."""
        headers = {"Accept": accept, "User-Agent": "k8s-helpers"}
        if authorization := self.access.identity.authorization():
            headers["Authorization"] = authorization
        if self._acting_as is not None:
            headers["Impersonate-User"] = self._acting_as
        return headers

    def open(
        self, path: str, query: Mapping[str, Any], timeout_s: float
    ) -> urllib3.BaseHTTPResponse:
        """Start a GET whose answer is read as it comes; the caller closes it."""
        return self._send("GET", path, query, None, JSON, timeout_s)

    def close(self) -> None:
        """Close the idle connections."""
        self._pool.clear()

    def _send(
        self,
        method: str,
        path: str,
        query: Mapping[str, Any] | None,
        body: Any,
        content_type: str,
        timeout_s: float,
        accept: str = JSON,
    ) -> urllib3.BaseHTTPResponse:
        import urllib3

        require_path(path)
        headers = self.headers(accept)
        if body is not None:
            headers["Content-Type"] = content_type
            body = body if isinstance(body, str | bytes) else json.dumps(body)
        given = {
            name: _query_value(value) for name, value in (query or {}).items() if value is not None
        }
        url = f"{self.server}{path}" + (f"?{urlencode(given)}" if given else "")
        timeout = urllib3.Timeout(connect=CONNECT_TIMEOUT_S, read=timeout_s)
        try:
            response = self._pool.request(
                method,
                url,
                headers=headers,
                body=body.encode() if isinstance(body, str) else body,
                timeout=timeout,
                preload_content=False,
                retries=False,
                redirect=False,
            )
        except urllib3.exceptions.HTTPError as error:
            raise self._unreachable(error) from None
        if response.status == 401:
            self.access.identity.rejected()
        if response.status >= 300:
            raise explain(
                method, path, response.status, _status(self._body(response, method, path))
            )
        return response

    def _body(self, response: urllib3.BaseHTTPResponse, method: str, path: str) -> bytes:
        import urllib3

        try:
            return response.read()
        except urllib3.exceptions.HTTPError as error:
            raise self._unreachable(error) from None
        finally:
            response.release_conn()

    def _unreachable(self, error: Exception) -> ClusterUnreachableError:
        if (stopped := self._stopped()) is not None:
            return stopped
        found, advice = explain_network(error)
        tried = f"Joindre le serveur d’API {self.server} (kubeconfig {self.access.path})"
        return ClusterUnreachableError(tried, found, advice)


def _warned(headers: Iterable[str]) -> list[str]:
    """Return the texts of `Warning: 299 - "text"` headers (RFC 7234, 5.5)."""
    found = (_WARNING.match(header) for header in headers)
    return [re.sub(r"\\(.)", r"\1", one[1]) for one in found if one is not None]


def _query_value(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _status(data: bytes) -> dict[str, Any]:
    """Return the `Status` object of a refusal; an answer of something else than Kubernetes becomes its message."""
    try:
        plain = json.loads(data)
    except ValueError:
        text = data.decode(errors="replace").strip()
        return {"message": text[:300]} if text else {}
    return plain if isinstance(plain, dict) else {}


def _pool(access: _kubeconfig.Access) -> urllib3.PoolManager:
    import urllib3

    options: dict[str, Any] = {"maxsize": 16}
    if access.tls is not None:
        options["ssl_context"] = access.tls
        options["cert_reqs"] = access.tls.verify_mode
        if access.server_hostname:
            options["server_hostname"] = access.server_hostname
            options["assert_hostname"] = access.server_hostname
    if access.proxy:
        pair = _proxies.credentials(access.proxy)
        if pair is not None:
            options["proxy_headers"] = urllib3.make_headers(proxy_basic_auth=":".join(pair))
        return urllib3.ProxyManager(access.proxy, **options)
    return urllib3.PoolManager(**options)
