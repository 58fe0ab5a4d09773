"""Ways to read a Secret, each noted as an attempt: by the API, and in etcd, where the API server keeps it."""

from __future__ import annotations

import base64

from ..cluster import Cluster
from ..kube.api import ApiSession, ApiStatusError
from .codes import Read
from .lane import Lane

MANIFEST, SECRET, KEY = "secret.yaml", "base", "mot-de-passe"


def read_by_api(lane: Lane, who: str, what: str, api: ApiSession, path: str) -> None:
    """Ask for the Secret, or for all; a refusal is noted with its HTTP status."""
    try:
        found = api.request("GET", path)
    except ApiStatusError as error:
        lane.refused(who, what, error)
    else:
        encoded = found.get("data", {}).get(KEY, "")
        lane.attempt(who, what, True, Read.READ, base64.b64decode(encoded).decode())


def read_in_etcd(lane: Lane, who: str, what: str, cluster: Cluster) -> None:
    """Look at the Secret where the API server writes it, and note whether its value can be read there.

    Raises
    ------
    PlatformError
        The provider gives no access to etcd.
    """
    raw = cluster.provider.read_etcd(f"/registry/secrets/{lane.namespace.name}/{SECRET}") or b""
    (written,) = lane.read(MANIFEST)
    at = raw.find(written["stringData"][KEY].encode())
    detail = readable(raw[:40])
    if at > 0:
        detail = f"{detail}… …{readable(raw[at - 20 : at + 40])}…"
    lane.attempt(who, what, at > 0, Read.PLAINTEXT if at > 0 else Read.ENCRYPTED, detail)


def readable(raw: bytes) -> str:
    """Return bytes as text, "·" in the place of what is not readable."""
    return "".join(chr(byte) if 32 <= byte < 127 else "·" for byte in raw)
