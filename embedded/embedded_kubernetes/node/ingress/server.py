"""The controller's HTTP and HTTPS servers: each request goes where an HTTPRoute or an Ingress says."""

from __future__ import annotations

import contextlib
import random
import ssl
from typing import Any

from aiohttp import web

from ...config import ClusterConfig
from ...pki import INGRESS_DEFAULT
from ..api import Api, ApiError, Informer
from ..install import install
from ..network.sockets import Sockets
from ..proxy.service_table import ServicePort, ServiceTable
from ..proxy.topology import Target
from ..tasks import Tasks
from .certificates import TLS_SECRETS, Certificates, from_files
from .gateway_api import ADDRESS
from .gateways import Gateways
from .http_routes import (
    RouteRequest,
    RouteRule,
    Turns,
    changed_headers,
    find_rule,
    host_rank,
    redirection,
    rewritten,
)
from .ingress_rules import (
    CLASS_NAME,
    CONTROLLER,
    Backend,
    IngressRoutes,
    IngressRule,
    find_ingress_rule,
    is_ours,
    routes,
)
from .passing import Passage, Passing, forwarded_headers

_CLASSES = "/apis/networking.k8s.io/v1/ingressclasses"
_INGRESSES = "/apis/networking.k8s.io/v1/ingresses"
_SECRETS = "/api/v1/secrets"


def ingress_class() -> dict[str, Any]:
    """Return the class that Ingresses get by default."""
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "IngressClass",
        "metadata": {
            "name": CLASS_NAME,
            "annotations": {"ingressclass.kubernetes.io/is-default-class": "true"},
        },
        "spec": {"controller": CONTROLLER},
    }


class Ingress:
    """The controller and its two servers.

    Parameters
    ----------
    config : ClusterConfig
        Gives the ports on 127.0.0.1 and the certificate for names that no Secret covers.
    api : Api
        With the rights to read Ingresses, Secrets and the objects of Gateway API, and to write their statuses.
    table : ServiceTable
        Services and endpoints; started by its owner.
    sockets : Sockets
        Of the pods' network.
    """

    def __init__(
        self, config: ClusterConfig, api: Api, table: ServiceTable, sockets: Sockets
    ) -> None:
        self._config = config
        self._sockets = sockets
        self._api = api
        self._table = table
        self._informer = Informer(api, _INGRESSES, on_change=self._changed)
        self._secrets = Informer(api, _SECRETS, on_change=self._secret_changed, params=TLS_SECRETS)
        self._certificates = Certificates(self._secrets.items)
        self._gateways = Gateways(api, table, self._certificates, self._secrets.synced)
        self._routes: IngressRoutes | None = None
        self._turns = Turns()
        self._tasks = Tasks()

    async def start(self) -> None:
        """Create the IngressClass, watch what says where requests go, and listen.

        Raises
        ------
        OSError
            A port is taken.
        """
        self._passing = Passing(self._sockets)
        self._tasks.start(install(self._api, [(_CLASSES, ingress_class())]))
        for source in (self._informer, self._secrets, self._gateways):
            await source.start()
        app = web.Application(client_max_size=0)
        app.router.add_route("*", "/{path:.*}", self._serve)
        self._runner = web.AppRunner(
            app, access_log=None, handler_cancellation=True, shutdown_timeout=1.0
        )
        await self._runner.setup()
        context = from_files(self._config.pki, INGRESS_DEFAULT)
        context.sni_callback = self._choose_certificate
        await web.TCPSite(self._runner, ADDRESS, self._config.ingress_port).start()
        secure = web.TCPSite(
            self._runner, ADDRESS, self._config.ingress_tls_port, ssl_context=context
        )
        await secure.start()

    async def close(self) -> None:
        """Stop serving and watching."""
        await self._runner.cleanup()
        for source in (self._informer, self._secrets, self._gateways):
            await source.close()
        await self._tasks.close()
        await self._passing.close()

    def _changed(self, kind: str, ingress: dict[str, Any]) -> None:
        self._routes = None
        if kind == "DELETED" or not is_ours(ingress):
            return
        if not ((ingress.get("status") or {}).get("loadBalancer") or {}).get("ingress"):
            self._tasks.start(self._show_address(ingress))

    def _secret_changed(self, kind: str, secret: dict[str, Any]) -> None:
        self._gateways.changed()

    async def _show_address(self, ingress: dict[str, Any]) -> None:
        meta = ingress["metadata"]
        path = f"/apis/networking.k8s.io/v1/namespaces/{meta['namespace']}/ingresses/{meta['name']}"
        status = {"status": {"loadBalancer": {"ingress": [{"ip": ADDRESS}]}}}
        with contextlib.suppress(ApiError):
            await self._api.patch(f"{path}/status", status, kind="merge")

    def _ingress_routes(self) -> IngressRoutes:
        if self._routes is None:
            self._routes = routes(self._informer.items.values())
        return self._routes

    def _choose_certificate(
        self, connection: ssl.SSLObject | ssl.SSLSocket, name: str | None, _: ssl.SSLContext
    ) -> None:
        wanted = (*self._ingress_routes().certificates, *self._gateways.current.certificates)
        chosen = self._certificates.choose(wanted, name)
        if chosen is not None:
            connection.context = chosen

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        asked = _asked(request)
        rule = find_rule(self._gateways.current.rules, asked)
        table = self._ingress_routes()
        ingress = find_ingress_rule(table, asked.host, asked.path)
        if rule is not None and (ingress is None or not _beats(ingress, rule)):
            decision = self._by_route(request, asked, rule)
        else:
            decision = self._by_ingress(request, table.backend(ingress))
        if isinstance(decision, Passage):
            return await self._passing.carry(request, decision)
        return decision

    def _by_ingress(self, request: web.Request, backend: Backend | None) -> Passage | web.Response:
        if backend is None:
            return web.Response(status=404, text="404 page not found\n")
        target = self._target(backend)
        if target is None:
            return web.Response(status=503, text="503 no available server\n")
        return Passage(target, request.raw_path, forwarded_headers(request))

    def _by_route(
        self, request: web.Request, asked: RouteRequest, rule: RouteRule
    ) -> Passage | web.Response:
        query = f"?{request.rel_url.raw_query_string}" if request.query_string else ""
        redirected = redirection(asked, rule, request.url.explicit_port)
        if redirected is not None:
            status, place = redirected
            return web.Response(status=status, headers={"Location": place + query})
        position = self._turns.next(rule.name, [one.weight for one in rule.backends])
        chosen = rule.backends[position] if position is not None else None
        if chosen is None or chosen.backend is None:
            return web.Response(status=500, text="500 no valid backend\n")
        target = self._target(chosen.backend)
        if target is None:
            return web.Response(status=503, text="503 no available server\n")
        filters = (*rule.filters, *chosen.filters)
        headers = changed_headers(forwarded_headers(request), filters, "RequestHeaderModifier")
        path, host = rewritten(asked.path, rule)
        if host is not None:
            headers = [(name, value) for name, value in headers if name.lower() != "host"]
            headers.append(("Host", host))
        raw_path = request.raw_path if path == asked.path else path + query
        return Passage(target, raw_path, headers, filters)

    def _target(self, backend: Backend) -> Target | None:
        for port in self._table.ports((backend.namespace, backend.service)):
            if _is_port(backend, port):
                return random.choice(port.targets) if port.targets else None
        return None


def _asked(request: web.Request) -> RouteRequest:
    return RouteRequest(
        secure=request.secure,
        host=(request.headers.get("Host") or "").rsplit(":", 1)[0],
        path=request.rel_url.raw_path,
        method=request.method,
        headers={name.lower(): value for name, value in request.headers.items()},
        query=request.query,
    )


def _beats(ingress: IngressRule, rule: RouteRule) -> bool:
    """Return whether an Ingress's rule is the more precise one: by its host, then by its path."""
    _, value = rule.match.path
    mine = (host_rank(ingress.host), len(ingress.path.rstrip("/")))
    return mine > (host_rank(rule.host), len(value.rstrip("/")))


def _is_port(backend: Backend, port: ServicePort) -> bool:
    wanted = port.name if isinstance(backend.port, str) else port.port
    return port.protocol == "TCP" and backend.port == wanted
