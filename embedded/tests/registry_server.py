"""A registry on loopback for tests, which can be told to misbehave."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web
from image_files import Image, digest

from embedded_kubernetes.node.images.content import oci


@dataclass
class RegistryServer:
    """What it has and how it answers; each request is noted."""

    port: int = 0
    blobs: dict[str, bytes] = field(default_factory=dict)
    manifests: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    """By `name:tag` and by digest: media type and content."""
    refuses: dict[str, tuple[int, str]] = field(default_factory=dict)
    """By a part of a path: status and message."""
    cuts: list[int] = field(default_factory=list)
    """After how many bytes the next answers with blobs break off."""
    ranges: bool = True
    slow: asyncio.Event | None = None
    """What every answer waits for."""
    token_for: str = ""
    """`user:password` that gets a token; "" lets everybody in."""
    basic_for: str = ""
    redirect: str = ""
    """Where blobs really are."""
    heads: bool = True
    repositories: dict[str, set[str]] = field(default_factory=dict)
    """Digests of the blobs that were pushed, by repository."""
    scoped: bool = False
    """Whether a blob is there only in the repositories that it was pushed to."""
    mounts: bool = True
    """Whether a blob of one repository can be had in another without sending it."""
    most_bytes: int = 1 << 30
    """Of one request's body."""
    drops: int = 0
    """How many uploads to come break off."""
    seen: list[tuple[str, str, str]] = field(default_factory=list)
    """Method, path and `Authorization` of each request."""
    _uploads: dict[str, bytes] = field(default_factory=dict)

    def add(self, name: str, image: Image) -> str:
        """Have an image under `repository:tag` and return its digest."""
        self.blobs |= image.blobs
        return self.add_manifest(name, image.manifest)

    def add_manifest(self, name: str, data: bytes, media_type: str = oci.OCI_MANIFEST) -> str:
        for key in (name, digest(data)):
            self.manifests[key] = (media_type, data)
        return digest(data)

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def asked(self, what: str) -> int:
        """Return how many requests had this in their path."""
        return sum(what in path for _, path, _ in self.seen)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.seen.append((request.method, request.path, request.headers.get("Authorization", "")))
        if self.slow is not None:
            await self.slow.wait()
        for part, (status, message) in self.refuses.items():
            if part in request.path:
                body = (
                    {"errors": [{"code": "TOOMANYREQUESTS", "message": message}]} if message else {}
                )
                return web.json_response(body, status=status)
        if request.path == "/token":
            return self._token(request)
        refused = self._unauthorized(request)
        if refused is not None:
            return refused
        if "/blobs/uploads/" in request.path:
            return await self._upload(request)
        name, kind, what = request.path.removeprefix("/v2/").rsplit("/", 2)
        if request.method == "PUT":
            return await self._put_manifest(request, name, what)
        if kind == "manifests":
            return self._manifest(request, name, what)
        if self.scoped and what not in self.repositories.get(name, ()):
            return web.Response(status=404)
        if self.redirect:
            raise web.HTTPTemporaryRedirect(f"{self.redirect}/v2/{name}/{kind}/{what}?signed=a%2Fb")
        return await self._blob(request, what)

    def _token(self, request: web.Request) -> web.Response:
        sent = request.headers.get("Authorization", "").removeprefix("Basic ")
        scope = request.query["scope"]  # the first one
        if sent and base64.b64decode(sent).decode() != self.token_for:
            return web.json_response({"details": "incorrect username or password"}, status=401)
        return web.json_response({"token": f"{'known' if sent else 'anonymous'} {scope}"})

    def _unauthorized(self, request: web.Request) -> web.Response | None:
        sent = request.headers.get("Authorization", "")
        if self.basic_for:
            wanted = f"Basic {base64.b64encode(self.basic_for.encode()).decode()}"
            header = 'Basic realm="registry"'
        elif self.token_for:
            name = request.path.removeprefix("/v2/").rsplit("/", 2)[0].removesuffix("/blobs")
            writes = request.method in ("POST", "PUT", "PATCH", "DELETE")
            wanted = f"Bearer known repository:{name}:pull{',push' if writes else ''}"
            header = (
                f'Bearer realm="http://{self.host}/token",service="test",'
                f'scope="repository:{name}:pull"'
            )
            if sent.startswith("Bearer"):
                header += ',error="insufficient_scope"'
        else:
            return None
        if wanted in (sent, sent.replace(":pull,push", ":pull")):
            return None
        return web.Response(status=401, headers={"WWW-Authenticate": header})

    def _manifest(self, request: web.Request, name: str, what: str) -> web.Response:
        found = self.manifests.get(what if what.startswith("sha256:") else f"{name}:{what}")
        if found is None:
            return web.Response(status=404)
        if request.method == "HEAD" and not self.heads:
            return web.Response(status=405)
        media_type, data = found
        headers = {"Content-Type": media_type, "Docker-Content-Digest": digest(data)}
        return web.Response(body=data, headers=headers)

    async def _upload(self, request: web.Request) -> web.Response:
        """Begin an upload, take a part of it, or all that is left of it and its digest."""
        name, _, upload = request.path.removeprefix("/v2/").partition("/blobs/uploads/")
        held = self.repositories.setdefault(name, set())
        if request.method == "POST":
            wanted, source = (request.query.get(key, "") for key in ("mount", "from"))
            if self.mounts and wanted in self.repositories.get(source, ()):
                held.add(wanted)
                return web.Response(status=201)
            self._uploads[str(len(self._uploads))] = b""
            place = f"/v2/{name}/blobs/uploads/{len(self._uploads) - 1}?state=a%2Fb"
            return web.Response(status=202, headers={"Location": place})
        if request.method == "DELETE":
            self._uploads[upload] = b""
            return web.Response(status=204)
        if (request.content_length or 0) > self.most_bytes:
            await request.read()
            return web.Response(status=413, text="<html>Request Entity Too Large</html>")
        if self.drops and request.transport is not None:
            self.drops -= 1
            request.transport.close()
            return web.Response()
        assert request.query["state"] == "a/b"
        data = await request.read()
        if request.method == "PATCH":
            begin = len(self._uploads[upload])
            assert request.headers["Content-Range"] == f"{begin}-{begin + len(data) - 1}"
        self._uploads[upload] += data
        if request.method == "PATCH":
            return web.Response(status=202, headers={"Location": str(request.rel_url)})
        if digest(self._uploads[upload]) != request.query["digest"]:
            return web.json_response({"errors": [{"code": "DIGEST_INVALID"}]}, status=400)
        self.blobs[request.query["digest"]] = self._uploads[upload]
        held.add(request.query["digest"])
        return web.Response(status=201)

    async def _put_manifest(self, request: web.Request, name: str, what: str) -> web.Response:
        """Take a manifest all of whose parts are in its repository."""
        data = await request.read()
        plain = json.loads(data)
        parts = [plain.get("config"), *plain.get("layers", ())]
        missing = [
            part for part in parts if part and part["digest"] not in self.repositories.get(name, ())
        ] + [part for part in plain.get("manifests", ()) if part["digest"] not in self.manifests]
        if missing:
            listed = {"errors": [{"code": "MANIFEST_BLOB_UNKNOWN", "message": str(missing)}]}
            return web.json_response(listed, status=404)
        self.manifests[digest(data)] = (request.content_type, data)
        if not what.startswith("sha256:"):
            self.manifests[f"{name}:{what}"] = (request.content_type, data)
        return web.Response(status=201, headers={"Docker-Content-Digest": digest(data)})

    async def _blob(self, request: web.Request, what: str) -> web.StreamResponse:
        data = self.blobs.get(what)
        if data is None:
            return web.Response(status=404)
        begin = request.http_range.start or 0 if self.ranges else 0
        response = web.StreamResponse(status=206 if begin else 200)
        if begin:
            response.headers["Content-Range"] = f"bytes {begin}-{len(data) - 1}/{len(data)}"
        response.content_length = len(data) - begin
        await response.prepare(request)
        if request.method == "HEAD":
            return response
        end = begin + self.cuts.pop(0) if self.cuts else len(data)
        for start in range(begin, end, 50_000):
            await response.write(data[start : min(end, start + 50_000)])
        if end < len(data) and request.transport is not None:
            request.transport.close()
        return response


@asynccontextmanager
async def serving(server: RegistryServer | None = None) -> AsyncIterator[RegistryServer]:
    """Serve on a free port of 127.0.0.1."""
    server = server or RegistryServer()
    runner = web.ServerRunner(web.Server(server.answer), shutdown_timeout=0)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", server.port)
        await site.start()
        server.port = runner.addresses[0][1]
        yield server
    finally:
        if server.slow is not None:
            server.slow.set()
        await runner.cleanup()
