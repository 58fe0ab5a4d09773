"""Le carnet: a site and its database, one program. The contract is in README.md."""

import json
import os
import signal
import sys
import threading
import time

from settings import SettingError, Settings, read_settings

USAGE = """Le carnet :
  site              le site web, qui demande tout à la base DATABASE_URL
  base              la base de données, qui garde ses notes dans DATA_DIR
  note TEXTE        ajoute une note dans la base DATABASE_URL
  notes [ADRESSE]   lit les notes de cette base (ou de DATABASE_URL)
  info [ADRESSE]    demande à une adresse qui y répond
  panne [ADRESSE]   fait mourir d’un coup le programme de cette adresse"""

ARGUMENTS = {
    "site": range(1),
    "base": range(1),
    "note": range(1, 1000),
    "notes": range(2),
    "info": range(2),
    "panne": range(2),
}
"""How many arguments each command takes."""


def make_log(settings: Settings):
    """Return the function that writes one line of JSON for each event on standard output."""

    def log(level: str, event: str, **details) -> None:
        now = time.time()
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + f".{int(now % 1 * 1000):03}Z"
        line = {"time": stamp, "level": level, "event": event, **details}
        line |= {"role": settings.role, "version": settings.version, "pod": settings.pod}
        os.write(
            1, json.dumps(line, ensure_ascii=False).encode() + b"\n"
        )  # one write: lines never mix

    return log


def serve(settings: Settings) -> int:
    """Run one of the two servers until SIGTERM; return the exit code."""
    # Blocked before the first thread starts: `sigwait` below takes them, at whatever instant they come.
    ends = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, ends)
    log = make_log(settings)
    if settings.startup_s:
        log("info", "starting", seconds=settings.startup_s)
        if signal.sigtimedwait(ends, settings.startup_s):  # nobody listens yet
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
    signal.sigwait(ends)
    server.app.draining = True
    log("info", "draining")
    server.close()
    log("info", "stopped")
    return 0


def _application(settings: Settings, log):
    if settings.role == "base":
        from database import Base

        return Base(settings, log)
    from website import Site

    return Site(settings, log)


def ask(settings: Settings, role: str, rest: list[str]) -> int:
    """Be the database's client, once."""
    import client

    url = settings.database_url
    if role != "note" and rest:
        url = rest[0].rstrip("/")
    try:
        if role == "note":
            print(json.dumps(client.ask(url, body={"text": " ".join(rest)}), ensure_ascii=False))
        elif role == "info":
            print(json.dumps(client.ask(url, "/api/info"), ensure_ascii=False))
        elif role == "panne":
            client.ask(url, "/admin/exit", {})
        else:
            for note in client.ask(url)["notes"]:
                print(note)
    except client.DatabaseError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def main(arguments: list[str]) -> int:
    """Do what the first argument says; return the exit code."""
    role, rest = (arguments or ["site"])[0], arguments[1:]
    if role not in ARGUMENTS or len(rest) not in ARGUMENTS[role]:
        print(USAGE, file=sys.stderr)
        return 2
    try:
        settings = read_settings(role)
    except SettingError as error:
        print(
            f"Lire la configuration : {error}. Corrigez la variable dans le manifeste.",
            file=sys.stderr,
        )
        return 2
    return serve(settings) if role in ("site", "base") else ask(settings, role, rest)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
