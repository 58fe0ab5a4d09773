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
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlencode

from .._errors import ClusterUnreachableError, UsageError
from . import kubeconfig as _kubeconfig
from .http import pool
from .refusals import (
    ApiStatusError,
    ClusterStoppedError,
    explain,
    explain_network,
    ignoring,
    passing,
    status_of,
)
from .watch import PATIENCE_S, RETRY_S, Watch, WatchEvent

if TYPE_CHECKING:
    import urllib3

__all__ = ["ApiSession", "ApiStatusError", "ClusterStoppedError", "Watch", "WatchEvent"]

JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"
JSON_PATCH = "application/json-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"

CONNECT_TIMEOUT_S = 5.0
_CONNECTIONS = 16
Sent = TypeVar("Sent")
_WRONG_IN_NAME = re.compile(r"[\s/%?#\\\x00-\x1f\x7f]")
_PROXIED = "/proxy/"
"""What follows it in a path is a program's own."""
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
        self._pool = pool(
            self.access.tls, self.access.server_hostname, self.access.proxy, _CONNECTIONS
        )
        self._stopped = stopped
        self.troubles = troubles
        self._patience_s = 0.0
        self._acting_as: str | None = None

    @property
    def server(self) -> str:
        """The API server's URL."""
        return self.access.server

    @contextmanager
    def patient(self, longest_s: float = PATIENCE_S) -> Iterator[None]:
        """Within the block, send again what fails because the server is away or in trouble, for so many seconds.

        For what must survive the death of a component that is then brought back. A request may so be done twice: those
        of the block must bear it, as server-side apply does.
        """
        before, self._patience_s = self._patience_s, longest_s
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

        def send() -> dict[str, Any]:
            response = self._send(
                method,
                path,
                query=query,
                body=body,
                content_type=content_type,
                accept=accept,
                timeout_s=timeout_s,
            )
            if warnings is not None:
                warnings.extend(_warned(response.headers.getlist("Warning")))
            data = self._body(response, method, path)
            return json.loads(data) if data else {}

        return self._patiently(send)

    def _patiently(self, send: Callable[[], Sent]) -> Sent:
        """Return what `send` returns; within `patient`, send again while the server may come back."""
        give_up_s = time.monotonic() + self._patience_s
        while True:
            try:
                return send()
            except (ClusterUnreachableError, ApiStatusError) as error:
                if not passing(error) or time.monotonic() >= give_up_s:
                    raise
            time.sleep(RETRY_S)

    def clock_offset_s(self) -> float:
        """Return how far the server's clock is ahead of this machine's, in seconds, to about one. Raises as `request`.

        By the answer's `Date`, which is in whole seconds (RFC 9110, 6.6.1); 0 where it has none.
        """
        response = self._send("GET", "/version", timeout_s=CONNECT_TIMEOUT_S)
        here_s = time.time()
        self._body(response, "GET", "/version")
        try:
            there = parsedate_to_datetime(response.headers.get("Date", ""))
        except ValueError:
            return 0.0
        return there.timestamp() + 0.5 - here_s

    def find(self, path: str) -> dict[str, Any] | None:
        """Return an object; None where it does not exist. Raises as `request` otherwise."""
        with ignoring(404):
            return self.request("GET", path)
        return None

    def text(
        self, path: str, *, query: Mapping[str, Any] | None = None, timeout_s: float = 30.0
    ) -> str:
        """Return an answer that is not JSON: logs, `/version`, metrics in text. Raises as `request`."""

        def send() -> str:
            response = self._send("GET", path, query=query, timeout_s=timeout_s, accept="*/*")
            return self._body(response, "GET", path).decode(errors="replace")

        return self._patiently(send)

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
        return self._send("GET", path, query=query, timeout_s=timeout_s)

    def close(self) -> None:
        """Close the idle connections."""
        self._pool.clear()

    def _send(
        self,
        method: str,
        path: str,
        *,
        timeout_s: float,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        content_type: str = JSON,
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
            status = status_of(self._body(response, method, path))
            raise explain(method, path, response.status, status)
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
    return [re.sub(r"\\(.)", r"\1", item[1]) for item in found if item is not None]


def _query_value(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def require_name(name: object, what: str) -> str:
    """Return a name that can be a part of a path.

    Parameters
    ----------
    name : object
        What the caller gave for a name.
    what : str
        What it names, in French: "un objet de type configmap".

    Raises
    ------
    UsageError
        Empty, no text, "." or "..", or with a character that would change the path.

    Source: https://github.com/kubernetes/apimachinery/blob/v0.37.0/pkg/api/validation/path/name.go
    """
    tried = f"Désigner {what}"
    if name is None or name == "":
        raise UsageError(
            tried,
            "le nom est vide : cela voudrait dire tous les objets de ce type, et rien n’a été envoyé",
            "Donnez le nom de l’objet ; « kubectl get » montre ceux qui existent.",
        )
    if not isinstance(name, str):
        raise UsageError(
            tried,
            f"son nom est {name!r}, de type {type(name).__name__}",
            'Donnez un texte entre guillemets "…".',
        )
    if name in (".", "..") or (found := _WRONG_IN_NAME.search(name)) is not None:
        wrong = name if name in (".", "..") else found[0] if found else ""
        raise UsageError(
            tried,
            f"le nom {name!r} contient {wrong!r}, qu’un nom ne peut pas avoir",
            "Donnez le nom seul, tel que « kubectl get » le montre.",
        )
    return name


def require_path(path: str) -> str:
    """Return a path of the API none of whose parts is empty or leads elsewhere.

    `DELETE …/configmaps/` (an empty name) deletes every ConfigMap of the namespace: names are checked where a path is
    made of them (`require_name`), and every path once more before it is sent.

    Raises
    ------
    UsageError
        It must not be sent.
    """
    named = path.partition(_PROXIED)[0]
    parts = named.partition("?")[0].split("/")
    root, *names = parts
    if root == "" and names and not any(_leads_elsewhere(name) for name in names):
        return path
    raise UsageError(
        f"Envoyer une requête à {path!r}",
        "un nom de ce chemin est vide ou incorrect ; rien n’a été envoyé",
        "Vérifiez les noms (espace de noms, objet) dont ce chemin est fait.",
    )


def _leads_elsewhere(part: str) -> bool:
    return part in ("", ".", "..") or re.search(r"\s", part) is not None
