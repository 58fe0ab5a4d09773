"""Follows a class while it works: one list and one watch for each of three kinds, however many students there are."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import http.server
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from .._errors import K8sHelpersError, UsageError
from ..exercises.grading.wide_table import REFRESH
from ..journal.shared import JOURNAL_LABEL
from ..kube.api import ApiSession
from ..kube.classes import CLASS_LABEL
from ..kube.watch import Watch
from .attention import ClassState

RETRY_S = 5.0
"""How long a watch that broke off rests before it is taken up again."""
_SCRIPT = base64.b64encode(hashlib.sha256(REFRESH.encode()).digest()).decode()
_POLICY = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{_SCRIPT}'"


class Collection:
    """The objects of one kind that a label selects, in all namespaces, as they are now.

    Parameters
    ----------
    api : ApiSession
        Of the teacher.
    path : str
        The collection, in all namespaces.
    selector : str
        A label selector.
    """

    def __init__(self, api: ApiSession, path: str, selector: str) -> None:
        self._api = api
        self._path = path
        self._query = {"labelSelector": selector}
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._watch: Watch | None = None
        self.trouble = ""
        """Why it is not followed at the moment, in French; "" where it is."""
        self._items: dict[tuple[str, str], Mapping[str, Any]] = {}
        self._version = self._list()
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()

    def items(self) -> tuple[Mapping[str, Any], ...]:
        """Return the objects."""
        with self._lock:
            return tuple(self._items.values())

    def close(self) -> None:
        """Follow no more."""
        self._closed.set()
        if self._watch is not None:
            self._watch.close()
        self._thread.join(RETRY_S)

    def _follow(self) -> None:
        while not self._closed.is_set():
            try:
                with self._api.watch(
                    self._path, query=self._query, resource_version=self._version
                ) as watch:
                    self._watch = watch
                    self._take(watch)
            except K8sHelpersError as error:
                self.trouble = error.found
            if self._closed.wait(RETRY_S):
                return
            with contextlib.suppress(K8sHelpersError):  # else the watch says so, once more
                self._version = self._list()

    def _list(self) -> str:
        """Read the whole collection; return the version from which to follow it."""
        answer = self._api.request("GET", self._path, query=self._query)
        items = {_key(item): item for item in answer["items"]}
        with self._lock:
            self._items = items
        self.trouble = ""
        version: str = answer["metadata"]["resourceVersion"]
        return version

    def _take(self, watch: Watch) -> None:
        for event in watch:
            self.trouble = ""
            if event.type == "DELETED":
                with self._lock:
                    self._items.pop(_key(event.object), None)
            else:
                with self._lock:
                    self._items[_key(event.object)] = event.object
            if self._closed.is_set():
                return


class ClassWatch:
    """What is known of a class, kept up to date in the background.

    Parameters
    ----------
    api : ApiSession
        Of the teacher, who may list namespaces, ConfigMaps and ResourceQuotas of all namespaces.
    class_name : str
        The class.

    Raises
    ------
    UsageError
        There is no such class.
    ApiRefusedError
        A right is missing.
    """

    def __init__(self, api: ApiSession, class_name: str) -> None:
        of_class = f"{CLASS_LABEL}={class_name}"
        self._namespaces = Collection(api, "/api/v1/namespaces", of_class)
        self._all = [self._namespaces]
        if not self._namespaces.items():
            self.close()
            raise UsageError(
                f"Suivre la classe « {class_name} »",
                "aucun espace de noms de ce cluster n’en porte l’étiquette",
                "« k8s-lab class create » la crée ; « kubectl get namespaces -L k8s-helpers/class » montre les autres.",
            )
        try:
            for path, selector in (
                ("/api/v1/configmaps", f"{JOURNAL_LABEL}={class_name}"),
                ("/api/v1/resourcequotas", of_class),
            ):
                self._all.append(Collection(api, path, selector))
        except BaseException:
            self.close()
            raise
        self.clock_offset_s = api.clock_offset_s()

    def state(self) -> ClassState:
        """Return what is known now."""
        return ClassState(*(collection.items() for collection in self._all))

    @property
    def trouble(self) -> str:
        """Why what is known may be old, in French; "" where it is not."""
        return next((part.trouble for part in self._all if part.trouble), "")

    def __enter__(self) -> ClassWatch:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Follow no more."""
        for collection in self._all:
            collection.close()


@contextlib.contextmanager
def served(page: Callable[[], str], port: int) -> Iterator[str]:
    """Serve a page on loopback while the block runs; give its URL.

    Parameters
    ----------
    page : callable
        Returns the page as it is at that moment.
    port : int
        0 for any that is free.

    Raises
    ------
    UsageError
        The port is taken.
    """

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            host = self.headers.get("Host", "").partition(":")[0]
            known = self.path == "/" and host in ("127.0.0.1", "localhost")
            body = page().encode() if known else b""
            self.send_response(200 if known else 404)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Content-Security-Policy", _POLICY)
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    try:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
    except OSError as error:
        raise UsageError(
            f"Servir la page sur le port {port}",
            error.strerror or str(error),
            "Donnez un autre port, ou « --serve » sans numéro : un port libre est choisi.",
        ) from None
    with server:
        thread = threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


def _key(item: Mapping[str, Any]) -> tuple[str, str]:
    return item["metadata"].get("namespace", ""), item["metadata"]["name"]
