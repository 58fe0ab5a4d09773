#!/usr/bin/env bash
# Jupyter Server starts a terminal under a name with a hyphen, and does not find it again.
#
# Versions:  jupyter_server 2.21.1, jupyter_server_terminals 0.5.4.
# Expected:  a name that POST /api/terminals accepts ({"name": "a-b"}) is one that GET /api/terminals/a-b answers for;
#            otherwise the POST is refused.
# Seen:      POST answers 200 and the list has it, but the route of one terminal takes `\w+` alone: GET answers 404.
#            "a_b: POST 200, listed True, GET 200", "a-b: POST 200, listed True, GET 404".
# For users: a link to a terminal named after a cluster (`cours-2`) leads nowhere; a name with underscores is found.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check jupyter_server==2.21.1 jupyter_server_terminals==0.5.4
port=$(python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
"$work/venv/bin/python" -m jupyter_server --allow-root --no-browser --ServerApp.port="$port" \
    --ServerApp.root_dir="$work" --IdentityProvider.token=t > "$work/log" 2>&1 &
server=$!
trap 'kill "$server" 2> /dev/null; wait "$server" || true; rm -rf "$work"' EXIT
cat > "$work/ask.py" <<'PY'
import json, sys, time, urllib.error, urllib.request

base = f"http://127.0.0.1:{sys.argv[1]}/api/terminals"
headers = {"Authorization": "token t", "Content-Type": "application/json"}


def ask(path, body=None):
    data = None if body is None else json.dumps(body).encode()
    try:
        with urllib.request.urlopen(urllib.request.Request(base + path, data, headers)) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, None


end = time.monotonic() + 120
while True:
    try:
        ask("")
        break
    except urllib.error.URLError:
        assert time.monotonic() < end
        time.sleep(0.2)
seen = {}
for name in ("a_b", "a-b"):
    made, _ = ask("", {"name": name})
    listed = name in [one["name"] for one in ask("")[1]]
    seen[name] = (made, listed, ask("/" + name)[0])
    print(f"{name}: POST {made}, listed {listed}, GET {seen[name][2]}")
sys.exit(seen != {"a_b": (200, True, 200), "a-b": (200, True, 404)})
PY
"$work/venv/bin/python" "$work/ask.py" "$port"
