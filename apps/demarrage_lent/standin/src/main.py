"""Stands in for the slow Spring Boot program where there is no Java. The contract is in ../../README.md."""

import json
import os
import signal
import sys
import threading
import time

from settings import SettingError, Settings, read_settings
from web import Application, Server

ENDS = {signal.SIGTERM, signal.SIGINT}


def make_log(settings: Settings):
    """Return the function that writes one line of JSON for each event on standard output."""

    def log(event: str, **details) -> None:
        line = {"event": event, "at": round(time.time(), 3), **details}
        line |= {"version": settings.version, "pod": settings.pod}
        text = json.dumps(line, ensure_ascii=False) + "\n"
        os.write(1, text.encode())  # one write: lines never mix

    return log


def start(application: Application, server_made: list) -> None:
    """Listen and sleep, in the order that LISTEN says; then accept traffic."""
    settings = application.settings
    if settings.listen == "late":
        sleep(application)
    try:
        server = Server(application)
    except OSError as error:
        address = f"{settings.bind_addr}:{settings.port}"
        print(f"Écouter sur {address} : {error.strerror}.", file=sys.stderr, flush=True)
        os._exit(1)
    server_made.append(server)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    application.log("listening", address=settings.bind_addr, port=server.server_port)
    if settings.listen == "early":
        sleep(application)
    application.started = application.ready = True


def sleep(application: Application) -> None:
    """Do what the slide's CommandLineRunner does."""
    time.sleep(application.settings.delay_s)
    application.log("delay over")


def main() -> None:
    """Run until SIGTERM."""
    try:
        settings = read_settings()
    except SettingError as error:
        print(f"Lire la configuration : {error}. Corrigez le manifeste.", file=sys.stderr)
        sys.exit(2)
    log = make_log(settings)
    # Blocked before the first line and before any thread begins, so that `sigwait` alone takes them.
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDS)
    log("starting", delay_s=settings.delay_s, listen=settings.listen)
    application = Application(settings, log)
    server_made: list = []
    threading.Thread(target=start, args=(application, server_made), daemon=True).start()
    number = signal.sigwait(ENDS)
    application.ready = False
    log("stopping")
    if settings.graceful and server_made:
        server_made[0].shutdown()
        server_made[0].server_close()
    os._exit(128 + number)


if __name__ == "__main__":
    main()
