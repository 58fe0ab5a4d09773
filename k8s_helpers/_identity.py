"""Who one is for the API server: the ways of a kubeconfig's `user`, in client-go's order.

A certificate is TLS's work (`_kubeconfig`); here is what goes into `Authorization`.

Source: https://github.com/kubernetes/client-go/blob/v0.37.0/tools/clientcmd/client_config.go
"""

from __future__ import annotations

import base64
import copy
from pathlib import Path
from typing import Any, Protocol

from ._exec_plugin import ExecPlugin


class Identity(Protocol):
    """A way to prove who one is."""

    def authorization(self) -> str | None:
        """Return the `Authorization` header's value now, or None."""

    def rejected(self) -> None:
        """Take note that the server does not know it (401): what was kept is asked for anew."""


class Fixed:
    """A header that does not change, or none."""

    def __init__(self, value: str | None) -> None:
        self._value = value

    def authorization(self) -> str | None:
        """Return the header."""
        return self._value

    def rejected(self) -> None:
        """Do nothing: there is no other."""


class TokenFile:
    """A token in a file that may be rotated; read at each request, as it costs nothing.

    Parameters
    ----------
    path : Path
        The file.
    token : str, optional
        Used while the file cannot be read.

    Raises
    ------
    ValueError, OSError
        The file is empty or cannot be read, and there is no token either.
    """

    def __init__(self, path: Path, token: str | None = None) -> None:
        self._path = path
        self._token = token
        self.authorization()

    def authorization(self) -> str | None:
        """Return the header with the file's present token; with the last one where the file is away."""
        try:
            self._token = self._path.read_text(encoding="utf-8").strip() or self._token
        except (OSError, ValueError):
            if self._token is None:
                raise
        if self._token is None:
            raise ValueError(f"« tokenFile » {self._path} est vide")
        return f"Bearer {self._token}"

    def rejected(self) -> None:
        """Do nothing: the file is read each time."""


class Plugin:
    """The token of an `exec` plugin."""

    def __init__(self, plugin: ExecPlugin) -> None:
        self._plugin = plugin

    def authorization(self) -> str | None:
        """Return the header; None where the plugin gives a certificate alone."""
        token = self._plugin.credential().token
        return f"Bearer {token}" if token else None

    def rejected(self) -> None:
        """Have the plugin asked again."""
        self._plugin.forget()


class _Provider:
    """A login of the old kind (`auth-provider`), which the official client knows and renews."""

    def __init__(self, plain: dict[str, Any]) -> None:
        from kubernetes.client import Configuration
        from kubernetes.config import ConfigException, load_kube_config_from_dict

        stripped = copy.deepcopy(plain)
        for part, key in (("clusters", "cluster"), ("users", "user")):
            for name in ("certificate-authority", "client-certificate", "client-key"):
                stripped[part][0][key].pop(name, None)
                stripped[part][0][key].pop(f"{name}-data", None)
        self._configuration = Configuration()
        try:
            load_kube_config_from_dict(stripped, client_configuration=self._configuration)
        except ConfigException as error:
            raise ValueError(str(error)) from None

    def authorization(self) -> str | None:
        """Return the header, renewed where it has expired."""
        for name in ("BearerToken", "authorization"):  # as clients up to 36 and from 37 on call it
            if value := self._configuration.get_api_key_with_prefix(name):
                return str(value)
        return None

    def rejected(self) -> None:
        """Do nothing: the client renews by itself."""


def of_user(user: dict[str, Any], plain: dict[str, Any], plugin: ExecPlugin | None) -> Identity:
    """Return the identity that a user of a kubeconfig says.

    Parameters
    ----------
    user : dict
        Its `user`.
    plain : dict
        The kubeconfig with this user alone.
    plugin : ExecPlugin or None
        Of its `exec`, where that counts.

    Raises
    ------
    ValueError, OSError
        A token that can be none, or a file without one.
    """
    token = user.get("token")
    if token is not None and not isinstance(token, str):
        raise ValueError("« token » devrait être un texte : mettez-le entre guillemets")
    if user.get("tokenFile"):
        return TokenFile(Path(user["tokenFile"]), token)
    if token:
        return Fixed(f"Bearer {token.strip()}")
    if user.get("username"):
        pair = f"{user['username']}:{user.get('password', '')}"
        return Fixed(f"Basic {base64.b64encode(pair.encode()).decode()}")
    if plugin is not None:
        return Plugin(plugin)
    if user.get("auth-provider"):
        return _Provider(plain)
    return Fixed(None)
