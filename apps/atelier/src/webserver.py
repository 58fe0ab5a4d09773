"""HTTP on the standard library: routes, an answer that says who gives it, an end that finishes what is under way."""

import json
import socketserver
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl

MAX_BODY_BYTES = 64 * 1024
CLIENT_TIMEOUT_S = 5.0
QUIET = ("/healthz/", "/signe", "/prendre")
"""Asked for every few seconds: logged when they fail only."""


class RequestError(Exception):
    """What the client asks cannot be done; `status` and the sentence are its answer."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class Application:
    """What both roles answer; a role adds its routes: `{"/path": {"GET": function}}`.

    A function takes the query and the body (JSON) and returns (status, value): a mapping becomes JSON, a text HTML.
    """

    def __init__(self, settings, log) -> None:
        self.settings = settings
        self.log = log
        self.healthy = {"live": True, "ready": True}
        self._began_s = time.monotonic()
        self.routes = {"/api/info": {"GET": lambda query, body: (200, self.facts())}}
        for probe in self.healthy:
            self.routes |= {
                f"/healthz/{probe}": {"GET": lambda query, body, probe=probe: self._health(probe)},
                f"/admin/{probe}/on": {
                    "POST": lambda query, body, probe=probe: self._switch(probe, True)
                },
                f"/admin/{probe}/off": {
                    "POST": lambda query, body, probe=probe: self._switch(probe, False)
                },
            }

    def require_right(self, path: str, headers) -> None:
        """Raise RequestError for who may not ask this; here, everybody may."""

    def facts(self) -> dict:
        """Tell who answers."""
        return {
            "app": "atelier",
            "role": self.settings.role,
            "version": self.settings.version,
            "pod": self.settings.pod,
            "uptime_s": round(time.monotonic() - self._began_s, 3),
        }

    def _health(self, probe: str):
        ok = self.healthy[probe]
        return (200, "oui\n") if ok else (503, "non\n")

    def _switch(self, probe: str, ok: bool):
        self.healthy[probe] = ok
        self.log("warning", "switched", probe=probe, ok=ok)
        return 200, {probe: ok, "pod": self.settings.pod}

    def answer(self, method: str, target: str, headers, body: bytes):
        """Return (status, value) for one request."""
        path, _, query = target.partition("?")
        methods = self.routes.get(path)
        if methods is None:
            raise RequestError(404, f"Il n’y a rien à l’adresse {path}.")
        if method not in methods:
            raise RequestError(405, f"{path} ne prend que {', '.join(methods)}.")
        self.require_right(path, headers)
        return methods[method](dict(parse_qsl(query)), _parse(body))


def _parse(body: bytes) -> dict:
    if not body:
        return {}
    try:
        value = json.loads(body)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise RequestError(400, 'Envoyez du JSON, comme {"text": "Soldes", "seconds": 2}.')
    return value


class Server(ThreadingHTTPServer):
    """Listens, one thread a request. `close` stops listening, then waits for what is under way."""

    daemon_threads = False  # so that `server_close` waits for them
    request_queue_size = 256

    def __init__(self, app: Application) -> None:
        self.app = app
        super().__init__((app.settings.bind_addr, app.settings.port), Handler)
        self.port = self.socket.getsockname()[1]

    def server_bind(self) -> None:
        """Bind without asking a DNS for this machine's name, as `HTTPServer` would."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]

    def handle_error(self, request, client_address) -> None:
        """Say nothing of a client that has left."""

    def close(self) -> None:
        """End without losing anybody whose request has been taken."""
        self.shutdown()
        self.server_close()


class Handler(BaseHTTPRequestHandler):
    """One request, one connection (HTTP/1.0): a Service chooses a pod for each connection."""

    timeout = CLIENT_TIMEOUT_S

    def do_GET(self) -> None:
        """Answer a GET."""
        self._serve()

    def do_POST(self) -> None:
        """Answer a POST."""
        self._serve()

    def _serve(self) -> None:
        app, began_s = self.server.app, time.perf_counter()
        path = self.path.partition("?")[0]
        try:
            status, value = app.answer(self.command, self.path, self.headers, self._body())
        except RequestError as error:
            status, value = error.status, {"error": str(error)}
        except Exception as error:  # a bug or a full disk: must be answered too, and be seen
            app.log("error", "exception", error=repr(error), path=path)
            status, value = 500, {"error": f"Erreur interne : {error}"}
        self._send(status, value)
        if not path.startswith(QUIET) or status >= 400:
            elapsed_ms = round((time.perf_counter() - began_s) * 1000, 2)
            details = {"method": self.command, "path": path, "status": status}
            app.log("info", "request", **details, duration_ms=elapsed_ms)

    def _body(self) -> bytes:
        length = self.headers.get("Content-Length", "0")
        if not length.isdecimal():
            raise RequestError(400, "Content-Length doit être un nombre.")
        if int(length) > MAX_BODY_BYTES:
            raise RequestError(413, f"Une commande prend {MAX_BODY_BYTES} octets au plus.")
        return self.rfile.read(int(length))

    def _send(self, status: int, value) -> None:
        if isinstance(value, str):
            body, kind = value.encode(), "text/html" if value.startswith("<") else "text/plain"
        else:
            body, kind = json.dumps(value, ensure_ascii=False).encode() + b"\n", "application/json"
        self.send_response(status)
        settings = self.server.app.settings
        who = {"X-App-Version": settings.version, "X-Pod-Name": settings.pod}
        about = {"Content-Type": f"{kind}; charset=utf-8", "Content-Length": str(len(body))}
        for name, text in {**about, **who}.items():
            self.send_header(name, text)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args) -> None:
        """Say nothing: `_serve` logs."""
