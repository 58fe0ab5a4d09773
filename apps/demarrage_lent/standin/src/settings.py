"""What the environment asks of the program. The contract is in ../../README.md."""

import os
import socket
from dataclasses import dataclass


class SettingError(Exception):
    """A variable whose value makes no sense."""


@dataclass(frozen=True)
class Settings:
    """The program's settings, read once at its start."""

    version: str
    pod: str
    bind_addr: str
    port: int
    delay_s: float
    listen: str
    before_ready: str
    graceful: bool


def read_settings(environment=os.environ) -> Settings:
    """Read the settings, or raise SettingError with a sentence for whoever reads the logs."""
    return Settings(
        version=environment.get("VERSION") or "v1",
        pod=environment.get("POD_NAME") or socket.gethostname(),
        bind_addr=environment.get("BIND_ADDR") or "0.0.0.0",
        port=int(_number(environment, "PORT", 8080, most=65535)),
        delay_s=_number(environment, "DELAY_SECONDS", 60),
        listen=_choice(environment, "LISTEN", ("early", "late")),
        before_ready=_choice(environment, "BEFORE_READY", ("empty", "refuse")),
        graceful=_choice(environment, "GRACEFUL", ("0", "1")) == "1",
    )


def _number(environment, name: str, default: float, most: float = 86400) -> float:
    text = environment.get(name) or str(default)
    try:
        value = float(text)
    except ValueError:
        value = -1
    if not 0 <= value <= most:
        raise SettingError(f"{name}={text} : il faut un nombre entre 0 et {most}")
    return value


def _choice(environment, name: str, choices: tuple) -> str:
    text = environment.get(name) or choices[0]
    if text not in choices:
        raise SettingError(f"{name}={text} : il faut {' ou '.join(choices)}")
    return text
