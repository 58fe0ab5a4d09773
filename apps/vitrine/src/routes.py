"""What the program answers to each path. The contract is in README.md."""

import json
import threading
import time

import page
from metrics import Metrics
from settings import Settings
from webserver import Request, Response

MAX_SLOW_MS = 60_000
MAX_CPU_MS = 10_000
QUIET = (
    "/healthz/live",
    "/healthz/ready",
    "/metrics",
)  # asked for every few seconds: logged when they fail only


class Vitrine:
    """The application: its state is in memory, hence lost with the pod."""

    def __init__(self, settings: Settings, log) -> None:
        self.settings = settings
        self.metrics = Metrics(settings.version)
        self.live = True
        self.ready = True
        self.draining = False
        self.health_server = None  # set by who opens a port for it
        self._log = log
        self._lock = threading.Lock()
        self._visits = 0
        self._counter = 0
        self._began_s = time.monotonic()
        self._routes = {
            "/": {"GET": self.home},
            "/api/info": {"GET": self.info},
            "/config": {"GET": self.config},
            "/cpu": {"GET": self.cpu},
            "/slow": {"GET": self.slow},
            "/state": {"GET": self.read_state, "POST": self.increment_state},
            "/metrics": {"GET": self.show_metrics},
            "/healthz/live": {"GET": self.show_live},
            "/healthz/ready": {"GET": self.show_ready},
            "/admin/live/on": {"POST": lambda request: self.switch("live", True)},
            "/admin/live/off": {"POST": lambda request: self.switch("live", False)},
            "/admin/ready/on": {"POST": lambda request: self.switch("ready", True)},
            "/admin/ready/off": {"POST": lambda request: self.switch("ready", False)},
            "/admin/grpc/on": {"POST": lambda request: self.switch_port(True)},
            "/admin/grpc/off": {"POST": lambda request: self.switch_port(False)},
        }

    def handle(self, request: Request) -> Response:
        """Answer one request: find the function of its path, measure it, log it."""
        began_s = time.perf_counter()
        self.metrics.begin()
        try:
            response = self._answer(request)
        except (
            Exception
        ) as error:  # a bug of ours must be answered too, and must be seen in the logs
            self._log("error", "exception", error=repr(error), path=request.path)
            response = say(500, "La vitrine a rencontré une erreur ; elle est dans ses journaux.")
        duration_s = time.perf_counter() - began_s
        self.metrics.end(request.method, response.status, duration_s, request.path not in QUIET)
        response.headers["X-App-Version"] = self.settings.version
        response.headers["X-Pod-Name"] = self.settings.pod
        if request.path not in QUIET or response.status >= 400:
            self._log(
                "info",
                "request",
                method=request.method,
                path=request.path,
                status=response.status,
                duration_ms=round(duration_s * 1000, 2),
            )
        return response

    def _answer(self, request: Request) -> Response:
        methods = self._routes.get(request.path)
        if methods is None:
            return say(404, f"Il n’y a rien à l’adresse {request.path}.")
        function = methods.get("GET" if request.method == "HEAD" else request.method)
        if function is None:
            response = say(405, f"{request.path} ne prend que {', '.join(methods)}.")
            response.headers["Allow"] = ", ".join(methods)
            return response
        return function(request)

    # The page and what it is made of -----------------------------------------------------------------------------

    def home(self, request: Request) -> Response:
        """Show the page, or the same as JSON where the client prefers it."""
        time.sleep(self.settings.work_ms / 1000)
        with self._lock:
            self._visits += 1
            visits = self._visits
        if "application/json" in request.headers.get("accept", ""):
            return self.info(request)
        body = page.render(self.settings.version, self.settings.pod, self._message(), visits)
        return Response(body=body, content_type="text/html; charset=utf-8")

    def info(self, request: Request) -> Response:
        """Tell who answers."""
        return as_json(
            {
                "app": "vitrine",
                "version": self.settings.version,
                "colour": page.colour_of(self.settings.version)[0],
                "pod": self.settings.pod,
                "message": self._message(),
                "visits": self._visits,
                "uptime_s": round(time.monotonic() - self._began_s, 3),
            }
        )

    def config(self, request: Request) -> Response:
        """Both ways to be configured: the environment, read once; the file, read again each time."""
        path = self.settings.config_file
        return as_json(
            {
                "env": {"MESSAGE": self.settings.message},
                "file": {"path": str(path), "content": self._file_content()},
                "used": self._message(),
            }
        )

    def _file_content(self) -> str | None:
        try:
            return self.settings.config_file.read_text(encoding="utf-8").strip()
        except OSError:
            return None

    def _message(self) -> str:
        return self._file_content() or self.settings.message

    # State, work, measures ---------------------------------------------------------------------------------------

    def read_state(self, request: Request) -> Response:
        """Tell the counter of this pod."""
        return as_json({"counter": self._counter, "pod": self.settings.pod})

    def increment_state(self, request: Request) -> Response:
        """Add one to the counter of this pod, which no other pod knows."""
        with self._lock:
            self._counter += 1
        return self.read_state(request)

    def slow(self, request: Request) -> Response:
        """Answer after a while, without using the processor."""
        wait_ms = milliseconds(request, MAX_SLOW_MS)
        if wait_ms is None:
            return say(400, f"/slow?ms=N : N est un nombre entre 0 et {MAX_SLOW_MS}.")
        time.sleep(wait_ms / 1000)
        return as_json({"waited_ms": wait_ms, "pod": self.settings.pod})

    def cpu(self, request: Request) -> Response:
        """Use the processor for a while."""
        burn_ms = milliseconds(request, MAX_CPU_MS)
        if burn_ms is None:
            return say(400, f"/cpu?ms=N : N est un nombre entre 0 et {MAX_CPU_MS}.")
        began_s = time.perf_counter()
        until_s = time.thread_time() + burn_ms / 1000
        while time.thread_time() < until_s:
            sum(range(1000))
        wall_ms = round((time.perf_counter() - began_s) * 1000, 1)
        return as_json({"cpu_ms": burn_ms, "wall_ms": wall_ms, "pod": self.settings.pod})

    def show_metrics(self, request: Request) -> Response:
        """Give what Prometheus collects."""
        return Response(
            body=self.metrics.text().encode(),
            content_type="text/plain; version=0.0.4; charset=utf-8",
        )

    # Health ------------------------------------------------------------------------------------------------------

    def show_live(self, request: Request) -> Response:
        """Tell the liveness probe whether this container may go on (or must be restarted)."""
        return say(200, "vivante") if self.live else say(503, "bloquée")

    def show_ready(self, request: Request) -> Response:
        """Tell the readiness probe whether this pod may receive requests."""
        if self.draining:
            return say(503, "en train de s’arrêter")
        return say(200, "prête") if self.ready else say(503, "pas prête")

    def switch(self, name: str, value: bool) -> Response:
        """Break or repair a probe."""
        setattr(self, name, value)
        self._log("warning", "switched", probe=name, ok=value)
        return as_json({"live": self.live, "ready": self.ready, "pod": self.settings.pod})

    def switch_port(self, wished: bool) -> Response:
        """Close the port of the gRPC health service, or open it again."""
        if self.health_server is None:
            return say(404, "Aucun port gRPC : donnez GRPC_PORT.")
        if wished:
            self.health_server.open()
        else:
            self.health_server.close()
        self._log("warning", "switched", probe="grpc", ok=wished)
        return as_json({"grpc": wished, "pod": self.settings.pod})

    def healthy(self, service: str) -> bool | None:
        """Tell the gRPC health service what the HTTP addresses tell; None for a service that we have not."""
        ready = self.ready and not self.draining
        known = {"": ready and self.live, "ready": ready, "live": self.live}
        return known.get(service)


def as_json(value: dict) -> Response:
    """Return an answer for programs."""
    body = json.dumps(value, ensure_ascii=False).encode() + b"\n"
    return Response(body=body, content_type="application/json")


def say(status: int, text: str) -> Response:
    """Return an answer of one sentence."""
    return Response(status, text.encode() + b"\n")


def milliseconds(request: Request, most: int) -> float | None:
    """Return the `ms` of the query, or None where it makes no sense."""
    try:
        value = float(request.query.get("ms", "100"))
    except ValueError:
        return None
    return value if 0 <= value <= most else None
