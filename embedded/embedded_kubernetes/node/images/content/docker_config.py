"""Who this user is at a registry: what `docker login` or `podman login` has kept.

(source: https://docs.docker.com/reference/cli/docker/login/, containers-auth.json(5))
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ....processes import CommandError, run
from .credentials import Credentials

_HELPER_S = 30.0
_DOCKER_HUB = "docker.io"
_DOCKER_HUB_KEY = "https://index.docker.io/v1/"
_TOKEN_USER = "<token>"


class HelperError(Exception):
    """A credential helper that a configuration names and that does not help; says which, and why."""


def files() -> Iterator[Path]:
    """Yield the files that may hold identities, those first that win."""
    if named := os.environ.get("REGISTRY_AUTH_FILE"):
        yield Path(named)
    yield Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker") / "config.json"
    if runtime := os.environ.get("XDG_RUNTIME_DIR"):
        yield Path(runtime) / "containers" / "auth.json"


def stored(domain: str) -> Credentials | None:
    """Return who logged in at a registry, None where nobody did.

    Raises
    ------
    HelperError
        Its identity is kept by a program that is not here or fails.
    """
    for path in files():
        try:
            plain = json.loads(path.read_text("utf-8"))
        except (OSError, ValueError):
            continue
        known = identity(plain, domain) if isinstance(plain, dict) else None
        if known is not None:
            return known
    return None


def identity(config: Mapping[str, Any], domain: str) -> Credentials | None:
    """Return who a Docker configuration says one is at a registry.

    Raises
    ------
    HelperError
        A program is said to know it, and does not.
    """
    name = key(domain)
    helpers = config.get("credHelpers")
    helper = helpers.get(domain) if isinstance(helpers, dict) else None
    if helper:
        known = _asked(str(helper), name)
        if known is not None:
            return known
    entries = config.get("auths")
    for place, entry in (entries if isinstance(entries, dict) else {}).items():
        if _host(place) == _host(name) and isinstance(entry, dict):
            known = _read(entry)
            if known is not None:
                return known
    store = config.get("credsStore")
    return _asked(str(store), name) if store and not helper else None


def key(domain: str) -> str:
    """Return how a configuration names a registry: the Docker Hub goes by its first address."""
    return _DOCKER_HUB_KEY if domain == _DOCKER_HUB else domain


def _host(place: str) -> str:
    return urlsplit(place if "://" in place else f"https://{place}").netloc


def _read(entry: Mapping[str, Any]) -> Credentials | None:
    username, password = str(entry.get("username", "")), str(entry.get("password", ""))
    if entry.get("auth"):
        try:
            pair = base64.b64decode(str(entry["auth"])).decode()
        except (binascii.Error, UnicodeDecodeError):
            return None
        username, _, password = pair.partition(":")
    token = str(entry.get("identitytoken", ""))
    return Credentials(username, password.rstrip("\0"), token) if password or token else None


def _asked(helper: str, server: str) -> Credentials | None:
    """Ask the program that keeps identities; None where it knows none.

    Source: https://github.com/docker/docker-credential-helpers
    """
    program = f"docker-credential-{helper}"
    if shutil.which(program) is None:
        raise HelperError(f"{program} est introuvable")
    try:
        done = run([program, "get"], timeout_s=_HELPER_S, check=False, stdin=server)
    except CommandError as error:
        raise HelperError(f"{program} : {error.found}") from None
    if done.returncode:
        if "credentials not found" in done.stdout + done.stderr:
            return None
        raise HelperError(f"{program} : {(done.stdout + done.stderr).strip()[:200]}")
    try:
        plain = json.loads(done.stdout)
        username, secret = str(plain["Username"]), str(plain["Secret"])
    except (ValueError, KeyError, TypeError):
        raise HelperError(f"{program} répond autre chose qu’une identité") from None
    if username == _TOKEN_USER:
        return Credentials("", "", secret)
    return Credentials(username, secret)
