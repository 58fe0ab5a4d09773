#!/bin/sh
# websocket-client (by which the official Kubernetes client runs `exec`) and NO_PROXY.
#
# Expected: NO_PROXY=host:port leaves out that port of the host, as for Go and requests.
# Seen: an entry with a port matches nothing, and the connection goes through the proxy all the same: `exec` and `get` of
# one program then take different ways to one server.
# Exits with 1 where this changes.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check websocket-client==1.9.0 requests==2.32.5
env -i PATH="$PATH" "$work/venv/bin/python" - <<'PY'
import os, sys
import requests, websocket
from websocket._url import get_proxy_info

print("websocket-client", websocket.__version__, "requests", requests.__version__)
os.environ["HTTPS_PROXY"] = os.environ["https_proxy"] = "http://proxy:3128"
found = []
for no_proxy, host, port in (("k8s.example.org", "k8s.example.org", 6443), ("k8s.example.org:6443", "k8s.example.org", 6443)):
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = no_proxy
    by_socket = get_proxy_info(host, True)[0] is not None
    by_requests = "https" in requests.utils.get_environ_proxies(f"https://{host}:{port}/")
    print(f"NO_PROXY={no_proxy} {host}:{port}: websocket-client by proxy: {by_socket}, requests by proxy: {by_requests}")
    found.append((by_socket, by_requests))
sys.exit(found != [(False, False), (True, False)])
PY
