#!/bin/sh
# The official Python client and bearer tokens.
#
# Expected: a token reaches the server as `Authorization: Bearer …`, from a kubeconfig, or set by hand in the two ways that
# the client's own documentation shows: api_key["authorization"] = "Bearer …", or with api_key_prefix["authorization"].
# Seen: `kubernetes` 36.0.0 sends no token in any of the three; 36.0.1 the kubeconfig's alone; 36.0.2 and 36.0.3 drop the
# prefix, so that the header is the bare token. 35.0.0 and 37.0.2 are right. No release warns: the server sees an anonymous
# user.
# Exits with 1 where one of these releases behaves otherwise.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
cat > "$work/ask.py" <<'PY'
import os, sys, threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

seen = []


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        seen.append(self.headers.get("Authorization"))
        body = b'{"kind": "NamespaceList", "apiVersion": "v1", "metadata": {}, "items": []}'
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


for name in list(os.environ):
    if name.lower().endswith("_proxy"):
        del os.environ[name]
server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_port}"
import kubernetes
from kubernetes import client

plain = {
    "apiVersion": "v1",
    "kind": "Config",
    "current-context": "a",
    "contexts": [{"name": "a", "context": {"cluster": "a", "user": "a"}}],
    "clusters": [{"name": "a", "cluster": {"server": url}}],
    "users": [{"name": "a", "user": {"token": "t"}}],
}
kubernetes.config.load_kube_config_from_dict(plain)
client.CoreV1Api().list_namespace()
for key, prefix in (("Bearer t", None), ("t", "Bearer")):
    configuration = client.Configuration()
    configuration.host = url
    configuration.api_key["authorization"] = key
    if prefix:
        configuration.api_key_prefix["authorization"] = prefix
    client.CoreV1Api(client.ApiClient(configuration)).list_namespace()
found = " ".join(str(value).replace(" ", "_") for value in seen)
print(f"kubernetes {kubernetes.__version__}: kubeconfig, by hand, with prefix: {found}")
sys.exit(found != sys.argv[1])
PY
ask() {
    "$work/venv/bin/pip" install --quiet --disable-pip-version-check "kubernetes==$1"
    "$work/venv/bin/python" "$work/ask.py" "$2"
}
ask 35.0.0 "Bearer_t Bearer_t Bearer_t"
ask 36.0.0 "None None None"
ask 36.0.1 "Bearer_t None None"
ask 36.0.2 "Bearer_t Bearer_t t"
ask 36.0.3 "Bearer_t Bearer_t t"
ask 37.0.2 "Bearer_t Bearer_t Bearer_t"
