"""The workshop: what its clients see, who prints, and who keeps the orders. The contract is in README.md."""

import json
import os
import signal
import sys
import threading
import time

from settings import PORTS, SettingError, Settings, read_settings

USAGE = """L’atelier :
  web        ce que voient les clients ; demande tout à la base BASE_URL
  ouvrier    imprime les affiches, une à la fois
  base       garde les commandes dans DATA_DIR"""

ENDS = {signal.SIGTERM, signal.SIGINT}


def make_log(settings: Settings):
    """Return the function that writes one line of JSON for each event on standard output."""

    def log(level: str, event: str, **details) -> None:
        now = time.time()
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + f".{int(now % 1 * 1000):03}Z"
        line = {"time": stamp, "level": level, "event": event, **details}
        line |= {"role": settings.role, "version": settings.version, "pod": settings.pod}
        os.write(1, json.dumps(line, ensure_ascii=False).encode() + b"\n")

    return log


def serve(settings: Settings, log) -> int:
    """Run the web or the database until SIGTERM; return the exit code."""
    if settings.startup_s:
        log("info", "starting", seconds=settings.startup_s)
        if signal.sigtimedwait(ENDS, settings.startup_s):  # nobody listens yet
            log("info", "stopped")
            return 0
    from webserver import Server

    try:
        server = Server(_application(settings, log))
    except OSError as error:
        what = error.filename or f"{settings.bind_addr}:{settings.port}"
        print(f"Ouvrir {what} : {error.strerror}.", file=sys.stderr)
        return 1
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    log("info", "listening", address=settings.bind_addr, port=server.port)
    signal.sigwait(ENDS)
    log("info", "draining")
    server.close()
    log("info", "stopped")
    return 0


def _application(settings: Settings, log):
    if settings.role == "base":
        from database import Base

        return Base(settings, log)
    from website import Web

    return Web(settings, log)


def work(settings: Settings, log) -> int:
    """Print until SIGTERM; what is in hand then is finished first."""
    from worker import Worker

    worker = Worker(settings, log)
    thread = threading.Thread(target=worker.run)
    thread.start()
    signal.sigwait(ENDS)
    log("info", "finishing", order=worker.in_hand)
    worker.stop()
    thread.join()
    log("info", "stopped")
    return 0


def main(arguments: list[str]) -> int:
    """Do what the argument says; return the exit code."""
    role = arguments[0] if len(arguments) == 1 else ""
    if role not in PORTS:
        print(USAGE, file=sys.stderr)
        return 2
    # Blocked before the first thread starts: `sigwait` takes them, at whatever instant they come.
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDS)
    try:
        settings = read_settings(role)
    except SettingError as error:
        print(f"Lire la configuration : {error}.", file=sys.stderr)
        return 2
    log = make_log(settings)
    return work(settings, log) if role == "ouvrier" else serve(settings, log)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
