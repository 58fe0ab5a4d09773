"""What the environment asks of the program: every setting is a variable (https://12factor.net/config)."""

import os
import socket
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

PORTS = {"web": 8080, "base": 8081, "ouvrier": 0}
MAX_SECONDS = 600


class SettingError(Exception):
    """A variable that is lacking, or whose value makes no sense."""


@dataclass(frozen=True)
class Settings:
    """The program's settings, read once at its start."""

    role: str
    version: str
    pod: str
    bind_addr: str
    port: int
    title: str
    startup_s: float
    data_dir: Path
    base_url: str
    password: str


def read_settings(role: str, environment=os.environ) -> Settings:
    """Read the settings of a role, or raise SettingError with a sentence for whoever reads the logs."""
    return Settings(
        role=role,
        version=environment.get("VERSION", "v1"),
        pod=environment.get("POD_NAME") or socket.gethostname(),
        bind_addr=environment.get("BIND_ADDR") or "0.0.0.0",
        port=int(_number(environment, "PORT", PORTS[role], most=65535)),
        title=_required(environment, "TITLE", "le nom de l’atelier") if role == "web" else "",
        startup_s=_number(environment, "STARTUP_SECONDS", 3 if role == "web" else 0, MAX_SECONDS),
        data_dir=Path(environment.get("DATA_DIR", "/data")),
        base_url="" if role == "base" else _url(environment, "BASE_URL"),
        password=_required(environment, "BASE_PASSWORD", "le mot de passe de la base"),
    )


def _required(environment, name: str, what: str) -> str:
    text = environment.get(name, "").strip()
    if not text:
        raise SettingError(f"{name} manque : c’est {what}")
    return text


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


def _url(environment, name: str) -> str:
    text = _required(environment, name, "l’adresse de la base, comme http://base:8081")
    try:
        url = urlsplit(text)
        host, port = url.hostname, url.port or 80
    except ValueError:
        host = None
    if host is None or url.scheme != "http":
        raise SettingError(f"{name}={text} : il faut une adresse, comme http://base:8081")
    return f"http://{host}:{port}"
