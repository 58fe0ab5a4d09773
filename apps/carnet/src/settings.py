"""What the environment asks of the program: every setting is a variable (https://12factor.net/config)."""

import os
import socket
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

ANYWHERE = "0.0.0.0"
PORTS = {"site": 8080, "base": 8081}
MAX_SECONDS = 600
MAX_DISK_MS = 1000


class SettingError(Exception):
    """A variable whose value makes no sense."""


@dataclass(frozen=True)
class Settings:
    """The program's settings, read once at its start."""

    role: str
    version: str
    pod: str
    bind_addr: str
    port: int
    startup_s: float
    data_dir: Path
    database_url: str
    disk_s: float


def read_settings(role: str, environment=os.environ) -> Settings:
    """Read the settings of a role, or raise SettingError with a sentence for whoever reads the logs."""
    bind_addr = environment.get("BIND_ADDR") or ANYWHERE
    return Settings(
        role=role,
        version=environment.get("VERSION", "v1"),
        pod=environment.get("POD_NAME") or socket.gethostname(),
        bind_addr=bind_addr,
        port=int(_number(environment, "PORT", PORTS.get(role, 0), most=65535)),
        startup_s=_number(environment, "STARTUP_SECONDS", 0, most=MAX_SECONDS),
        data_dir=Path(environment.get("DATA_DIR", "/data")),
        database_url=_url(environment, "DATABASE_URL", bind_addr),
        disk_s=_number(environment, "DISK_MS", 0, most=MAX_DISK_MS) / 1000,
    )


def _number(environment, name: str, default: float, most: float) -> float:
    text = environment.get(name, "")
    if not text:
        return default
    try:
        value = float(text)
    except ValueError:
        value = -1
    if not 0 <= value <= most:
        raise SettingError(f"{name}={text} : il faut un nombre entre 0 et {most:g}")
    return value


def _url(environment, name: str, bind_addr: str) -> str:
    """Return the database's URL.

    In a pod, `localhost` is the pod itself. Where containers share the machine's network, the pod itself is the
    address where its programs must listen: BIND_ADDR.
    """
    text = environment.get(name) or f"http://localhost:{PORTS['base']}"
    try:
        url = urlsplit(text)
        host, port = url.hostname, url.port or 80
    except ValueError:
        host = None
    if host is None or url.scheme != "http":
        raise SettingError(f"{name}={text} : il faut une adresse, comme http://base:8081")
    if host == "localhost" and bind_addr != ANYWHERE:
        host = bind_addr
    return f"http://{host}:{port}"
