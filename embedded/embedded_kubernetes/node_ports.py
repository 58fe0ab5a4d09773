"""Where each NodePort of a cluster answers on this machine: the node writes it down, who builds a URL reads it.

All clusters of a machine share 127.0.0.1. Where a port of it is taken, the node still serves the NodePort at its own
address, as a real node does.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path

from .files import write_whole

SHARED_ADDRESS = "127.0.0.1"

_FILE = "node-ports.json"
_RETRY_S = 0.02


def write(folder: Path, addresses: Mapping[int, str]) -> None:
    """Write down where every NodePort answers (port → address) in a cluster's folder."""
    write_whole(folder / _FILE, json.dumps({str(port): where for port, where in addresses.items()}))


def forget(folder: Path) -> None:
    """Delete what an earlier node wrote down."""
    (folder / _FILE).unlink(missing_ok=True)


def find(folder: Path, port: int, timeout_s: float) -> str | None:
    """Return where a NodePort answers; None where the node has not seen it within `timeout_s` seconds."""
    end_s = time.monotonic() + timeout_s
    while True:
        address = _read(folder).get(str(port))
        if address is not None or time.monotonic() > end_s:
            return address
        time.sleep(_RETRY_S)


def _read(folder: Path) -> dict[str, str]:
    try:
        addresses: dict[str, str] = json.loads((folder / _FILE).read_text())
    except FileNotFoundError:
        return {}
    return addresses
