"""What the environment asks of the program: every setting is a variable (https://12factor.net/config)."""

import os
import socket
from dataclasses import dataclass
from pathlib import Path

TRUE = ("1", "true", "yes", "on")
FALSE = ("0", "false", "no", "off", "")


class SettingError(Exception):
    """A variable whose value makes no sense."""


@dataclass(frozen=True)
class Settings:
    """The program's settings, read once at its start."""

    version: str
    pod: str
    bind_addr: str
    port: int
    grpc_port: int | None
    startup_s: float
    graceful: bool
    drain_s: float
    work_ms: float
    cache_mb: int
    message: str
    config_file: Path


def read_settings(environment=os.environ) -> Settings:
    """Read the settings, or raise SettingError with a sentence for whoever reads the logs."""
    return Settings(
        version=environment.get("VERSION", "v1"),
        pod=environment.get("POD_NAME") or socket.gethostname(),
        bind_addr=environment.get("BIND_ADDR", "0.0.0.0"),
        port=int(_number(environment, "PORT", 8080, most=65535)),
        grpc_port=int(_number(environment, "GRPC_PORT", 0, most=65535))
        if environment.get("GRPC_PORT")
        else None,
        startup_s=_number(environment, "STARTUP_SECONDS", 0),
        graceful=_yes(environment, "GRACEFUL"),
        drain_s=_number(environment, "DRAIN_SECONDS", 0),
        work_ms=_number(environment, "WORK_MS", 0),
        cache_mb=int(_number(environment, "CACHE_MB", 0, most=4096)),
        message=environment.get("MESSAGE", "Bienvenue dans la vitrine"),
        config_file=Path(environment.get("CONFIG_FILE", "/config/message.txt")),
    )


def _number(environment, name: str, default: float, most: float = 86400) -> float:
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


def _yes(environment, name: str) -> bool:
    text = environment.get(name, "").lower()
    if text not in TRUE + FALSE:
        raise SettingError(f"{name}={text} : il faut 0 ou 1")
    return text in TRUE
