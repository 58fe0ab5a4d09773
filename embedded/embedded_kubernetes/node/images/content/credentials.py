"""Who pulls: user names and passwords from `imagePullSecrets`, by registry and repository.

(source: `pkg/credentialprovider/keyring.go`, `config.go` and `secrets/secrets.go` of Kubernetes)
"""

from __future__ import annotations

import base64
import binascii
import fnmatch
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from .references import Reference

_DEFAULT_REGISTRY = "index.docker.io"
_CONFIG_KEY, _LEGACY_KEY = ".dockerconfigjson", ".dockercfg"


@dataclass(frozen=True)
class Credentials:
    """One identity at a registry."""

    username: str
    password: str
    identity_token: str = ""
    """What stands for both where a registry gives it at login ("identitytoken" of a Docker configuration)."""

    def basic(self) -> str:
        """Return the value of an `Authorization` header."""
        pair = f"{self.username}:{self.password}".encode()
        return f"Basic {base64.b64encode(pair).decode()}"


Keyring = Mapping[str, tuple[Credentials, ...]]
"""Identities by host and path, as the entries of a Docker configuration name them."""


def keyring(secrets: Iterable[Mapping[str, Any]]) -> Keyring:
    """Return the identities that Secrets hold; an entry that is none is passed over.

    Parameters
    ----------
    secrets : iterable of dict
        Of type `kubernetes.io/dockerconfigjson` or `kubernetes.io/dockercfg`, as the API gives them.
    """
    identities: dict[str, tuple[Credentials, ...]] = {}
    for secret in secrets:
        for place, entry in _entries(secret.get("data") or {}).items():
            known = _credentials(entry)
            if known is not None:
                key = _key(place)
                identities[key] = (*identities.get(key, ()), known)
    return identities


def matching(known: Keyring, reference: Reference) -> tuple[Credentials, ...]:
    """Return the identities for an image, those of the most specific path first."""
    keys = [key for key in sorted(known, reverse=True) if _matches(key, reference)]
    identities = tuple(identity for key in keys for identity in known[key])
    if not identities and reference.domain == "docker.io":
        return known.get(_DEFAULT_REGISTRY, ())
    return identities


def _entries(data: Mapping[str, str]) -> Mapping[str, Any]:
    for key in (_CONFIG_KEY, _LEGACY_KEY):
        try:
            plain = json.loads(base64.b64decode(data[key]))
        except (KeyError, ValueError):
            continue
        entries = plain.get("auths") if key == _CONFIG_KEY and isinstance(plain, dict) else plain
        return entries if isinstance(entries, dict) else {}
    return {}


def _credentials(entry: Any) -> Credentials | None:
    if not isinstance(entry, dict):
        return None
    username, password = entry.get("username", ""), entry.get("password", "")
    if entry.get("auth"):
        try:
            pair = base64.b64decode(str(entry["auth"]), validate=False).decode()
        except (binascii.Error, UnicodeDecodeError):
            return None
        username, _, password = pair.partition(":")
    return Credentials(str(username), str(password)) if username or password else None


def _key(place: str) -> str:
    """Return host and path of an entry: `https://index.docker.io/v1/` is `index.docker.io`."""
    parts = urlsplit(place if "://" in place else f"https://{place}")
    path = parts.path
    if path.startswith(("/v1/", "/v2/")):
        path = path[3:]
    return parts.netloc + ("" if path == "/" else path)


def _matches(key: str, reference: Reference) -> bool:
    wanted, asked = urlsplit(f"//{key}"), urlsplit(f"//{reference.repository}")
    names, parts = _host(wanted.netloc), _host(asked.netloc)
    return (
        names[1] == parts[1]
        and len(names[0]) == len(parts[0])
        and asked.path.startswith(wanted.path)
        and all(fnmatch.fnmatchcase(a, b) for a, b in zip(parts[0], names[0], strict=True))
    )


def _host(netloc: str) -> tuple[list[str], str]:
    name, colon, port = netloc.rpartition(":")
    if not colon or not port.isdigit():
        name, port = netloc, ""
    return name.split("."), port
