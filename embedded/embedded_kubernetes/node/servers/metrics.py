"""metrics.k8s.io for `kubectl top` and the HorizontalPodAutoscaler: an aggregated API on loopback.

Nothing is measured unless somebody asks: an answer compares the counters of now with those of an earlier question, so
the window is the asker's own rhythm (5 s for the HPA). Both versions say the same: `kubectl top` asks for v1, the HPA
for v1beta1. (source: `k8s.io/metrics/pkg/apis/metrics`)
"""

from __future__ import annotations

import asyncio
import base64
import ssl
import time
from typing import Any

import aiohttp
from aiohttp import web

from ...config import ClusterConfig
from ...selectors import selector_matches
from ..api import Api
from ..install import install
from ..tasks import Tasks
from ..wall import timestamp
from .kubelet_api import server_context
from .metrics_registration import API_GROUP, API_VERSIONS, manifests
from .stats_summary import summary
from .streams import PodLookup
from .usage_rates import Rate, UsageSample, choose_base, merge, node_rate, pod_rates

_FRESH_S = 0.9
_SHORTEST_WINDOW_S = 2.0
_LONGEST_WINDOW_S = 30.0
_FIRST_WINDOW_S = 1.0
_KEPT_SAMPLES = 16
_NODE_TIMEOUT_S = 5.0

Window = tuple[UsageSample, UsageSample]
"""An earlier and the latest look at the cluster."""


class Metrics:
    """The metrics API of the cluster, on its first node.

    Parameters
    ----------
    config : ClusterConfig
        Gives the port, the nodes and the keys.
    api : Api
        With the rights to register an APIService.
    pods : PodLookup
        The pods of this node; other nodes are asked by their kubelet API.
    """

    def __init__(self, config: ClusterConfig, api: Api, pods: PodLookup) -> None:
        self._config = config
        self._api = api
        self._pods = pods
        self._samples: list[UsageSample] = []
        self._lock = asyncio.Lock()
        self._tasks = Tasks()
        self._client: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        """Listen and register the API.

        Raises
        ------
        OSError
            The port is taken.
        """
        app = web.Application()
        base = f"/apis/{API_GROUP}/{{version:{'|'.join(API_VERSIONS)}}}"
        add = app.router.add_get
        add(f"/apis/{API_GROUP}", self._group)
        add(base, self._resources)
        add("/openapi/v2", self._openapi_v2)
        add("/openapi/v3", self._openapi_v3)
        add(f"{base}/nodes", self._list_nodes)
        add(f"{base}/nodes/{{name}}", self._one_node)
        add(f"{base}/pods", self._list_pods)
        add(f"{base}/namespaces/{{namespace}}/pods", self._list_pods)
        add(f"{base}/namespaces/{{namespace}}/pods/{{name}}", self._one_pod)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        context = server_context(self._config, "metrics-serving", "front-proxy-ca")
        port = self._config.metrics_port
        await web.TCPSite(self._runner, "127.0.0.1", port, ssl_context=context).start()
        bundle = base64.b64encode((self._config.pki / "ca.crt").read_bytes()).decode()
        self._tasks.start(install(self._api, manifests(port, bundle), update=True))

    async def close(self) -> None:
        """Stop listening; the registration stays for the next start."""
        await self._tasks.close()
        await self._runner.cleanup()
        if self._client is not None:
            await self._client.close()

    async def _group(self, request: web.Request) -> web.Response:
        versions = [
            {"groupVersion": f"{API_GROUP}/{version}", "version": version}
            for version in API_VERSIONS
        ]
        return web.json_response(
            {
                "kind": "APIGroup",
                "apiVersion": "v1",
                "name": API_GROUP,
                "versions": versions,
                "preferredVersion": versions[0],
            }
        )

    async def _resources(self, request: web.Request) -> web.Response:
        def resource(name: str, kind: str, namespaced: bool) -> dict[str, Any]:
            return {
                "name": name,
                "singularName": "",
                "namespaced": namespaced,
                "kind": kind,
                "verbs": ["get", "list"],
            }

        return web.json_response(
            {
                "kind": "APIResourceList",
                "apiVersion": "v1",
                "groupVersion": _group_version(request),
                "resources": [
                    resource("nodes", "NodeMetrics", False),
                    resource("pods", "PodMetrics", True),
                ],
            }
        )

    async def _openapi_v2(self, request: web.Request) -> web.Response:
        info = {"title": API_GROUP, "version": API_VERSIONS[0]}
        return web.json_response({"swagger": "2.0", "info": info, "paths": {}})

    async def _openapi_v3(self, request: web.Request) -> web.Response:
        return web.json_response({"paths": {}})

    async def _list_nodes(self, request: web.Request) -> web.Response:
        window = await self._window()
        return _list(request, "NodeMetrics", _node_items(window))

    async def _one_node(self, request: web.Request) -> web.Response:
        return _one(request, "nodes", _node_items(await self._window()))

    async def _list_pods(self, request: web.Request) -> web.Response:
        items = _pod_items(await self._window(), request.match_info.get("namespace"))
        selector = request.query.get("labelSelector", "")
        try:
            kept = [i for i in items if selector_matches(selector, i["metadata"]["labels"])]
        except ValueError as error:
            raise web.HTTPBadRequest(text=str(error)) from None
        return _list(request, "PodMetrics", kept)

    async def _one_pod(self, request: web.Request) -> web.Response:
        items = _pod_items(await self._window(), request.match_info["namespace"])
        return _one(request, "pods", items)

    async def _window(self) -> Window:
        """Return an earlier and a fresh sample; the very first question waits a second."""
        async with self._lock:
            if not self._samples or time.time() - self._samples[-1].wall_s > _FRESH_S:
                await self._look()
            base = choose_base(self._samples, _SHORTEST_WINDOW_S, _LONGEST_WINDOW_S)
            if base is None:
                base = choose_base(self._samples, _FRESH_S, _LONGEST_WINDOW_S)
            if base is None:
                base = self._samples[-1]
                await asyncio.sleep(_FIRST_WINDOW_S)
                await self._look()
            return base, self._samples[-1]

    async def _look(self) -> None:
        answers = await asyncio.gather(*(self._ask(port) for port in await self._other_ports()))
        own = summary(self._config.node_names[0], self._pods)
        summaries = [own, *(answer for answer, _ in answers if answer)]
        pods = [
            *self._pods.all_pods(),
            *(pod for _, pods_of_node in answers for pod in pods_of_node),
        ]
        self._samples = [
            *self._samples[-_KEPT_SAMPLES + 1 :],
            merge(time.time(), summaries, pods),
        ]

    async def _other_ports(self) -> list[int]:
        """Return where the other nodes listen: what they say themselves, as one may have joined since the start."""
        nodes = (await self._api.get("/api/v1/nodes"))["items"]
        return [
            node["status"]["daemonEndpoints"]["kubeletEndpoint"]["Port"]
            for node in nodes
            if node["metadata"]["name"] != self._config.node_names[0]
        ]

    async def _ask(self, port: int) -> tuple[dict[str, Any] | None, list[dict[str, Any]]]:
        """Return the summary and the pods of another node; nothing where it does not answer."""
        client = self._kubelet_client()
        url = f"https://127.0.0.1:{port}"
        try:
            async with client.get(f"{url}/stats/summary") as answer:
                said = await answer.json()
            async with client.get(f"{url}/pods") as answer:
                return said, (await answer.json())["items"]
        except (aiohttp.ClientError, TimeoutError, ValueError, KeyError):
            return None, []

    def _kubelet_client(self) -> aiohttp.ClientSession:
        if self._client is None:
            pki = self._config.pki
            context = ssl.create_default_context(cafile=str(pki / "ca.crt"))
            context.load_cert_chain(
                pki / "apiserver-kubelet-client.crt", pki / "apiserver-kubelet-client.key"
            )
            self._client = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(ssl=context),
                timeout=aiohttp.ClientTimeout(total=_NODE_TIMEOUT_S),
            )
        return self._client


def _usage(used: Rate) -> dict[str, str]:
    return {"cpu": f"{round(used.cpu_cores * 1e9)}n", "memory": f"{used.memory_bytes // 1024}Ki"}


def _span(window: Window) -> dict[str, str]:
    base, latest = window
    seconds = f"{latest.wall_s - base.wall_s:.3f}s"
    return {"timestamp": timestamp(latest.wall_s), "window": seconds}


def _node_items(window: Window) -> list[dict[str, Any]]:
    items = []
    for name in sorted(window[1].agents):
        used = node_rate(*window, name)
        if used is not None:
            meta = {"name": name, "creationTimestamp": timestamp(window[1].wall_s)}
            items.append({"metadata": meta, **_span(window), "usage": _usage(used)})
    return items


def _pod_items(window: Window, namespace: str | None) -> list[dict[str, Any]]:
    latest = window[1]
    items = []
    for key in sorted(latest.pods):
        if namespace is not None and key[0] != namespace:
            continue
        rates = pod_rates(*window, key)
        if rates is None:
            continue
        meta = {
            "namespace": key[0],
            "name": key[1],
            "labels": latest.labels.get(key, {}),
            "creationTimestamp": timestamp(latest.wall_s),
        }
        used = [{"name": name, "usage": _usage(rate)} for name, rate in rates.items()]
        items.append({"metadata": meta, **_span(window), "containers": used})
    return items


def _group_version(request: web.Request) -> str:
    return f"{API_GROUP}/{request.match_info['version']}"


def _list(request: web.Request, kind: str, items: list[dict[str, Any]]) -> web.Response:
    return web.json_response(
        {
            "kind": f"{kind}List",
            "apiVersion": _group_version(request),
            "metadata": {},
            "items": items,
        }
    )


def _one(request: web.Request, resource: str, items: list[dict[str, Any]]) -> web.Response:
    name = request.match_info["name"]
    kind = "NodeMetrics" if resource == "nodes" else "PodMetrics"
    for item in items:
        if item["metadata"]["name"] == name:
            said = {"kind": kind, "apiVersion": _group_version(request), **item}
            return web.json_response(said)
    return web.json_response(
        {
            "kind": "Status",
            "apiVersion": "v1",
            "status": "Failure",
            "reason": "NotFound",
            "message": f'{resource}.{API_GROUP} "{name}" not found',
            "details": {"name": name, "group": API_GROUP, "kind": resource},
            "code": 404,
        },
        status=404,
    )
