"""La vitrine: the course's small web application. Its contract is in README.md."""

import json
import os
import signal
import sys
import time

from health_server import HealthServer
from routes import Vitrine
from settings import SettingError, Settings, read_settings
from webserver import Server

KILLED_BY_SIGTERM = 128 + signal.SIGTERM


def make_log(settings: Settings):
    """Return the function that writes one line of JSON for each event on standard output."""

    def log(level: str, event: str, **details) -> None:
        now = time.time()
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + f".{int(now % 1 * 1000):03}Z"
        line = {"time": stamp, "level": level, "event": event, **details}
        line |= {"version": settings.version, "pod": settings.pod}
        os.write(
            1, json.dumps(line, ensure_ascii=False).encode() + b"\n"
        )  # one write: lines never mix

    return log


def main() -> int:
    """Run until SIGTERM; return the exit code."""
    try:
        settings = read_settings()
    except SettingError as error:
        print(
            f"Lire la configuration : {error}. Corrigez la variable dans le manifeste.",
            file=sys.stderr,
        )
        return 2
    log = make_log(settings)
    signal.signal(signal.SIGTERM, lambda number, frame: die(log))
    signal.signal(signal.SIGINT, lambda number, frame: die(log))
    if settings.cache_mb:
        log("info", "filling the cache", megabytes=settings.cache_mb)
    cache = b"x" * (settings.cache_mb << 20)  # every page is written, hence taken for good
    held = {"cache_mb": len(cache) >> 20} if cache else {}
    if settings.startup_s:
        log("info", "starting", seconds=settings.startup_s)
        time.sleep(settings.startup_s)  # nobody listens yet: connections are refused
    # From here on only `sigwait` below takes these signals. A handler would run in the main thread alone, and the
    # kernel may give a signal to a thread that is just starting another one: the main thread would sleep on.
    ends = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, ends)
    app = Vitrine(settings, log)
    try:
        server = Server((settings.bind_addr, settings.port), app.handle)
        if settings.grpc_port is not None:
            address = (settings.bind_addr, settings.grpc_port)
            app.health_server = HealthServer(address, app.healthy)
            log("info", "grpc listening", port=app.health_server.port)
    except OSError as error:
        ports = " et ".join(
            str(port) for port in (settings.port, settings.grpc_port) if port is not None
        )
        print(f"Écouter sur {settings.bind_addr}:{ports} : {error.strerror}.", file=sys.stderr)
        return 1
    log("info", "listening", address=settings.bind_addr, port=server.port, **held)
    signal.sigwait(ends)
    if not settings.graceful:
        die(log)
    finish(settings, app, server, log)
    return 0


def die(log) -> None:
    """End at once: whoever was being answered is cut off."""
    log("warning", "stopped at once")
    os._exit(KILLED_BY_SIGTERM)


def finish(settings: Settings, app: Vitrine, server: Server, log) -> None:
    """End gracefully: tell the readiness probe, go on serving for a while, then finish what is under way."""
    app.draining = True
    log("info", "draining", seconds=settings.drain_s)
    time.sleep(settings.drain_s)
    under_way = server.close()
    log("info", "stopped", finished=under_way)


if __name__ == "__main__":
    sys.exit(main())
