"""HTTP on the standard library: routes, an answer that says who gives it, an end that finishes what is under way."""

import json
import os
import socketserver
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import tracing

MAX_BODY_BYTES = 64 * 1024
CLIENT_TIMEOUT_S = 5.0
EXIT_CODE = 1
EXIT_DELAY_S = 0.1
QUIET = (
    "/healthz/live",
    "/healthz/ready",
)  # asked for every few seconds: logged when they fail only


class RequestError(Exception):
    """What the client asks cannot be done; `status` and the sentence are its answer."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class Application:
    """What both roles answer; a role adds its routes: `{"/path": {"GET": function}}`.

    A function takes the body (JSON) and returns (status, value, headers): a mapping is sent as JSON, a text as HTML.
    """

    def __init__(self, settings, log) -> None:
        self.settings = settings
        self.log = log
        self.ready = True
        self.draining = False
        self._began_s = time.monotonic()
        self.routes = {
            "/api/info": {"GET": self._info},
            "/healthz/live": {"GET": lambda body: (200, "vivant\n", {})},
            "/healthz/ready": {"GET": self._readiness},
            "/admin/ready/on": {"POST": lambda body: self._switch(True)},
            "/admin/ready/off": {"POST": lambda body: self._switch(False)},
            "/admin/exit": {"POST": self._exit},
        }

    def facts(self) -> dict:
        """Tell who answers."""
        return {
            "app": "carnet",
            "role": self.settings.role,
            "version": self.settings.version,
            "pod": self.settings.pod,
            "uptime_s": round(time.monotonic() - self._began_s, 3),
        }

    def _info(self, body):
        return 200, self.facts(), {}

    def _readiness(self, body):
        if self.draining:
            return 503, "en train de s’arrêter\n", {}
        return (200, "prêt\n", {}) if self.ready else (503, "pas prêt\n", {})

    def _switch(self, ready: bool):
        self.ready = ready
        self.log("warning", "switched", probe="ready", ok=ready)
        return 200, {"ready": ready, "pod": self.settings.pod}, {}

    def _exit(self, body):
        """Die at once, as a breakdown would: the container restarts, in the same pod."""
        self.log("error", "breakdown")
        threading.Timer(EXIT_DELAY_S, os._exit, (EXIT_CODE,)).start()  # after this answer
        return 200, {"exit_code": EXIT_CODE, "pod": self.settings.pod}, {}

    def answer(self, method: str, path: str, body: bytes):
        """Return (status, value, headers) for one request."""
        methods = self.routes.get(path)
        if methods is None:
            raise RequestError(404, f"Il n’y a rien à l’adresse {path}.")
        if method not in methods:
            raise RequestError(405, f"{path} ne prend que {', '.join(methods)}.")
        return methods[method](_parse(body))


def _parse(body: bytes) -> dict:
    if not body:
        return {}
    try:
        value = json.loads(body)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise RequestError(400, 'Envoyez du JSON, comme {"text": "acheter du pain"}.')
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
            with (
                tracing.remote(self.headers.get(tracing.HEADER)),
                tracing.span(app.log, f"{self.command} {path}", "server"),
            ):
                status, value, headers = app.answer(self.command, path, self._body())
        except RequestError as error:
            status, value, headers = error.status, {"error": str(error)}, {}
        except (
            Exception
        ) as error:  # a bug or a full disk: must be answered too, and be seen in the logs
            app.log("error", "exception", error=repr(error), path=path)
            status, value, headers = 500, {"error": f"Erreur interne : {error}"}, {}
        self._send(status, value, headers)
        if path not in QUIET or status >= 400:
            elapsed_ms = round((time.perf_counter() - began_s) * 1000, 2)
            details = {"method": self.command, "path": path, "status": status}
            app.log("info", "request", **details, duration_ms=elapsed_ms)

    def _body(self) -> bytes:
        length = self.headers.get("Content-Length", "0")
        if not length.isdecimal():
            raise RequestError(400, "Content-Length doit être un nombre.")
        if int(length) > MAX_BODY_BYTES:
            raise RequestError(413, f"Une note prend {MAX_BODY_BYTES} octets au plus.")
        return self.rfile.read(int(length))

    def _send(self, status: int, value, headers: dict) -> None:
        if isinstance(value, str):
            body, kind = value.encode(), "text/html" if value.startswith("<") else "text/plain"
        else:
            body, kind = json.dumps(value, ensure_ascii=False).encode() + b"\n", "application/json"
        self.send_response(status)
        settings = self.server.app.settings
        who = {"X-App-Version": settings.version, "X-Pod-Name": settings.pod}
        about = {"Content-Type": f"{kind}; charset=utf-8", "Content-Length": str(len(body))}
        for name, text in {**about, **who, **headers}.items():
            self.send_header(name, text)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args) -> None:
        """Say nothing: `_serve` logs."""
