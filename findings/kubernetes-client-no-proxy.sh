#!/bin/sh
# The official Python client and NO_PROXY.
#
# Expected: with HTTP_PROXY set and the API server's host in NO_PROXY, the request goes straight to the server, as kubectl
# does and as releases before 34 did.
# Seen: `kubernetes` 34.1.0 and 35.0.0 read HTTP_PROXY and forget NO_PROXY (`Configuration.no_proxy` stays None): each
# request goes through the proxy. 36.0.2 and 37.0.2 are right.
# Exits with 1 where one of these releases behaves otherwise.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
cat > "$work/ask.py" <<'PY'
import json, os, sys, threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

seen = []


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        seen.append(self.server.role)
        body = b'{"kind": "NamespaceList", "apiVersion": "v1", "metadata": {}, "items": []}'
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


urls = {}
for role in ("server", "proxy"):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.role = role
    urls[role] = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
for name in list(os.environ):
    if name.lower().endswith("_proxy"):
        del os.environ[name]
os.environ["HTTP_PROXY"] = urls["proxy"]
os.environ["NO_PROXY"] = "127.0.0.1"
import kubernetes

plain = {
    "apiVersion": "v1",
    "kind": "Config",
    "current-context": "a",
    "contexts": [{"name": "a", "context": {"cluster": "a", "user": "a"}}],
    "clusters": [{"name": "a", "cluster": {"server": urls["server"]}}],
    "users": [{"name": "a", "user": {"token": "t"}}],
}
kubernetes.config.load_kube_config_from_dict(plain)
kubernetes.client.CoreV1Api().list_namespace()
print(f"kubernetes {kubernetes.__version__}: NO_PROXY=127.0.0.1, the request came to the {seen[-1]}")
sys.exit(seen[-1] != sys.argv[1])
PY
for pair in 34.1.0:proxy 35.0.0:proxy 36.0.2:server 37.0.2:server; do
    "$work/venv/bin/pip" install --quiet --disable-pip-version-check "kubernetes==${pair%:*}"
    "$work/venv/bin/python" "$work/ask.py" "${pair#*:}"
done
