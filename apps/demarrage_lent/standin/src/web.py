"""What is answered to each address, and the two states that Spring Boot calls availability."""

import html
import http.server
import json
import time
from urllib.parse import parse_qsl, urlsplit

HEALTH = "/actuator/health"
MAX_SLOW_MS = 60_000
ARTICLES = 12
"""What the start loads: until it is over the catalogue is empty."""
PAGE = """<!doctype html>
<html lang="fr">
<head><meta charset="utf-8"><title>Démarrage lent {version}</title></head>
<body><h1>Démarrage lent, version {version}</h1><p>Catalogue : {articles} articles.</p><p>Pod : {pod}</p></body>
</html>
"""


class Application:
    """The application's state, and its answers.

    `live` and `ready` are what Spring Boot's `LivenessState` and `ReadinessState` are; `started` says whether the
    delay is over.
    """

    def __init__(self, settings, log) -> None:
        self.settings = settings
        self.log = log
        self.live = True
        self.ready = False
        self.started = False

    def answer(self, method: str, target: str) -> tuple[int, str, bytes]:
        """Return status, content type and body."""
        url = urlsplit(target)
        wanted = "POST" if url.path in SWITCHES else "GET"
        if url.path not in ("/", "/slow", *SWITCHES, *GROUPS):
            return say(404, f"Il n’y a rien à l’adresse {url.path}.")
        if method != wanted:
            return say(405, f"{url.path} ne prend que {wanted}.")
        if url.path in GROUPS:
            return self._health(url.path)
        if url.path in SWITCHES:
            return self._switch(*SWITCHES[url.path])
        if not self.started and self.settings.before_ready == "refuse":
            return say(
                503, "Le démarrage n’est pas fini : cette application ne peut pas encore répondre."
            )
        return self._home() if url.path == "/" else slow(dict(parse_qsl(url.query)))

    def _home(self) -> tuple[int, str, bytes]:
        names = {"version": self.settings.version, "pod": self.settings.pod}
        escaped = {name: html.escape(text) for name, text in names.items()}
        page = PAGE.format(**escaped, articles=ARTICLES if self.started else 0)
        return 200, "text/html; charset=utf-8", page.encode()

    def _health(self, path: str) -> tuple[int, str, bytes]:
        status = "UP"
        if "ready" in GROUPS[path] and not self.ready:
            status = "OUT_OF_SERVICE"
        if "live" in GROUPS[path] and not self.live:
            status = "DOWN"
        code = 200 if status == "UP" else 503
        self.log("probe", path=path, status=code)
        return code, "application/json", json.dumps({"status": status}).encode()

    def _switch(self, probe: str, ok: bool) -> tuple[int, str, bytes]:
        setattr(self, probe, ok)
        self.log("switched", probe=probe, ok=ok)
        state = {"live": self.live, "ready": self.ready, "pod": self.settings.pod}
        return 200, "application/json", json.dumps(state).encode()


GROUPS = {
    HEALTH: ("live", "ready"),
    f"{HEALTH}/liveness": ("live",),
    f"{HEALTH}/readiness": ("ready",),
}
"""What each address of Actuator looks at."""

SWITCHES = {
    f"/admin/{probe}/{word}": (probe, word == "on")
    for probe in ("live", "ready")
    for word in ("on", "off")
}


def say(status: int, text: str) -> tuple[int, str, bytes]:
    """Return an answer of one sentence."""
    return status, "text/plain; charset=utf-8", f"{text}\n".encode()


def slow(query: dict) -> tuple[int, str, bytes]:
    """Answer after a while."""
    try:
        wait_ms = float(query.get("ms", "100"))
    except ValueError:
        wait_ms = -1
    if not 0 <= wait_ms <= MAX_SLOW_MS:
        return say(400, f"/slow?ms=N : N est un nombre entre 0 et {MAX_SLOW_MS}.")
    time.sleep(wait_ms / 1000)
    return say(200, f"{wait_ms:g} ms")


class Server(http.server.ThreadingHTTPServer):
    """One connection, one request, one thread; closing it waits for the requests under way."""

    daemon_threads = False
    request_queue_size = 100  # what Tomcat lets the kernel queue, too

    def __init__(self, application: Application) -> None:
        self.application = application
        settings = application.settings
        super().__init__((settings.bind_addr, settings.port), Handler)

    def server_bind(self) -> None:
        """Bind without asking the DNS for this machine's name, which `http.server` does and nobody needs."""
        super(http.server.HTTPServer, self).server_bind()
        self.server_name, self.server_port = self.server_address[:2]

    def handle_error(self, request, client_address) -> None:
        """Say nothing of clients that leave before their answer."""


class Handler(http.server.BaseHTTPRequestHandler):
    """One request."""

    timeout = 5  # seconds that a client may stay silent

    def do_GET(self) -> None:
        """Answer GET, and the other methods with it."""
        application = self.server.application
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        code, content_type, body = application.answer(self.command, self.path)
        self.send_response(code)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-App-Version", application.settings.version)
        self.send_header("X-Pod-Name", application.settings.pod)
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_PUT = do_DELETE = do_GET  # noqa: N815

    def log_message(self, *arguments) -> None:
        """Write nothing: the journal holds probes only."""
