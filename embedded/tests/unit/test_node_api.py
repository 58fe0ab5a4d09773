"""The node's client of the API server."""

from types import SimpleNamespace

from aiohttp import web
from aiohttp.test_utils import TestServer

from embedded_kubernetes.node import api as node_api


async def test_a_long_answer_can_be_read(monkeypatch):
    items = [{"metadata": {"name": f"item-{number}"}} for number in range(10_000)]

    async def answer(request):
        response = web.json_response({"items": items})
        response.enable_compression()  # as an API server does from 128 KiB on
        return response

    app = web.Application()
    app.router.add_get("/items", answer)
    monkeypatch.setattr(node_api, "_client_context", lambda pki, identity: False)
    async with TestServer(app) as server:
        config = SimpleNamespace(server=str(server.make_url("")).rstrip("/"), pki=None)
        api = node_api.Api(config, "node")
        try:
            assert len((await api.list("/items"))["items"]) == len(items)
        finally:
            await api.close()
