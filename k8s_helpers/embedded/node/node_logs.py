"""`/logs/` of the kubelet's API: the node's log files, as `/api/v1/nodes/NODE/proxy/logs/` shows them.

What is `/var/log` on a node of its own is the cluster's folder of logs here.
(source: `http.FileServer` in `InstallDebuggingHandlers`, `k8s.io/kubernetes/pkg/kubelet/server/server.go`)
"""

from __future__ import annotations

import html
from pathlib import Path
from urllib.parse import quote

from aiohttp import web


def serve(request: web.Request, folder: Path) -> web.StreamResponse:
    """Return the list of a folder's files, or a file; 404 for what is not there or outside."""
    root = folder.resolve()
    asked = (root / request.match_info["path"]).resolve()
    if not asked.is_relative_to(root):
        raise web.HTTPNotFound(text="404 page not found")
    if asked.is_dir():
        names = sorted(f"{one.name}/" if one.is_dir() else one.name for one in asked.iterdir())
        lines = (f'<a href="{quote(name)}">{html.escape(name)}</a>\n' for name in names)
        return web.Response(text=f"<pre>\n{''.join(lines)}</pre>\n", content_type="text/html")
    if not asked.is_file():
        raise web.HTTPNotFound(text="404 page not found")
    return web.FileResponse(asked, headers={"Content-Type": "text/plain; charset=utf-8"})
