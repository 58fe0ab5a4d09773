"""From a kubeconfig to what a connection needs: address, TLS, proxy and the way to prove who one is, as client-go.

Inline certificates never become files that outlive the call: `ssl` reads client certificates only from files, so
they exist for the milliseconds that takes.

Source: https://github.com/kubernetes/client-go/tree/v0.37.0/tools/clientcmd
"""

from __future__ import annotations

import base64
import copy
import os
import ssl
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

import yaml

from .. import _french
from .._errors import ClusterUnreachableError
from . import proxies as _proxies
from . import yaml as _yaml
from .http import tls_context

if TYPE_CHECKING:
    from .exec_plugin import ExecPlugin

_SECTIONS = ("clusters", "contexts", "users")
_ADVICE = "Vérifiez le chemin (variable KUBECONFIG ou K8S_HELPERS_KUBECONFIG) et l’accès avec « kubectl cluster-info »."


class Identity(Protocol):
    """A way to prove who one is."""

    def authorization(self) -> str | None:
        """Return the `Authorization` header's value now, or None."""

    def rejected(self) -> None:
        """Take note that the server does not know it (401): what was kept is asked for anew."""


@dataclass(frozen=True)
class Access:
    """How to reach one API server as one user.

    Attributes
    ----------
    server : str
        `https://host:port`, without a final slash.
    tls : ssl.SSLContext or None
        None for a plain `http://` server (`kubectl proxy`).
    identity : Identity
        What goes into the `Authorization` header; renews what has expired.
    ca_pem, cert_pem, key_pem : bytes or None
        The same TLS material for tools that want files.
    server_hostname : str or None
        Name expected in the server's certificate, where it is not the address.
    proxy : str or None
        HTTP proxy that leads there: the kubeconfig's `proxy-url`, or what the environment asks for.
    """

    path: Path
    context: str
    server: str
    tls: ssl.SSLContext | None
    identity: Identity = field(repr=False)
    ca_pem: bytes | None = field(default=None, repr=False)
    cert_pem: bytes | None = field(default=None, repr=False)
    key_pem: bytes | None = field(default=None, repr=False)
    server_hostname: str | None = None
    proxy: str | None = None

    @property
    def loopback(self) -> bool:
        """Whether the API server is on this machine."""
        return _proxies.is_loopback(urlsplit(self.server).hostname or "")


def read(path: Path) -> dict[str, Any]:
    """Read a kubeconfig file as it is.

    Raises
    ------
    ClusterUnreachableError
        No such file, not YAML, or not a kubeconfig.
    """
    tried = f"Lire le kubeconfig {path}"
    try:
        text = path.read_text(encoding="utf-8")
        plain = next((document.value for document in _yaml.documents(text)), None)
    except OSError as error:
        raise ClusterUnreachableError(tried, _french.system(error), _ADVICE) from None
    except UnicodeDecodeError:
        found = "ce n’est pas du texte en UTF-8"
        raise ClusterUnreachableError(tried, found, _ADVICE) from None
    except yaml.YAMLError as error:
        from . import yaml_faults

        place, found, advice = yaml_faults.explain(error, str(path), text)
        raise ClusterUnreachableError(tried, f"{place} : {found}", advice) from None
    if plain is None:
        return {part: [] for part in _SECTIONS}
    sections = (
        {part: plain.get(part) or [] for part in _SECTIONS} if isinstance(plain, dict) else {}
    )
    if not any(part in plain for part in _SECTIONS) or not all(
        isinstance(entries, list) and all(isinstance(entry, dict) for entry in entries)
        for entries in sections.values()
    ):
        found = "ce n’est pas un kubeconfig : il y manque « clusters », « contexts » ou « users »"
        raise ClusterUnreachableError(tried, found, _ADVICE)
    return {**plain, **sections}


def listed(environment: Mapping[str, str], but_below: Path) -> list[Path]:
    """Return the kubeconfigs that kubectl would read: those that exist, or one that does not, for the error.

    Parameters
    ----------
    environment : mapping
        Its `KUBECONFIG`; without it, `~/.kube/config`.
    but_below : Path
        A folder whose files are left out.
    """
    texts = environment.get("KUBECONFIG", "").split(os.pathsep)
    named = [Path(text) for text in texts if text and but_below not in Path(text).resolve().parents]
    named = named or [Path.home() / ".kube" / "config"]
    return [path for path in named if path.exists()] or named[:1]


def merged(paths: Sequence[Path]) -> dict[str, Any]:
    """Return several kubeconfigs as one, with every file that they name made absolute.

    What does not exist is skipped. The first file that has a name wins, with all that it says of it; the current
    context is that of the first file that has one.

    Raises
    ------
    ClusterUnreachableError
        None of them exists, or one cannot be read.

    Source: https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/#merging-kubeconfig-files
    """
    present = [path for path in paths if path.exists()] or list(paths[:1])
    whole: dict[str, Any] = {part: [] for part in _SECTIONS}
    for path in present:
        plain = read(path)
        for part, key in (("clusters", "cluster"), ("users", "user"), ("contexts", "")):
            known = {entry.get("name") for entry in whole[part]}
            for entry in plain[part]:
                if entry.get("name") not in known:
                    whole[part].append(_absolute(copy.deepcopy(entry), key, path.parent))
        if plain.get("current-context"):
            whole.setdefault("current-context", plain["current-context"])
    return whole


def minimal(plain: dict[str, Any], path: Path, context: str | None = None) -> dict[str, Any]:
    """Return a kubeconfig that holds one context alone, with every file it names made absolute.

    Parameters
    ----------
    plain : dict
        What `read` returned.
    path : Path
        Where it was read: relative file names in it are relative to that folder.
    context : str, optional
        The context to keep; the current one otherwise.

    Raises
    ------
    ClusterUnreachableError
        No such context, or one that names a missing cluster or user.
    """
    tried = f"Choisir un contexte du kubeconfig {path}"
    names = [str(entry.get("name")) for entry in plain["contexts"]]
    wanted = context or plain.get("current-context")
    if not wanted or wanted not in names:
        found = (
            f"le contexte « {wanted} » n’y est pas" if wanted else "aucun contexte n’y est courant"
        )
        advice = f"Choisissez parmi : {', '.join(names) or 'aucun'} (option --context ou K8S_HELPERS_CONTEXT)."
        raise ClusterUnreachableError(tried, found, advice)
    chosen = copy.deepcopy(plain["contexts"][names.index(wanted)])
    if not isinstance(chosen.get("context"), dict):
        found = f"le contexte « {wanted} » est vide"
        raise ClusterUnreachableError(tried, found, _ADVICE)
    kept: dict[str, Any] = {}
    for part, key in (("clusters", "cluster"), ("users", "user")):
        name = chosen["context"].get(key)
        entry = next((item for item in plain[part] if item.get("name") == name), None)
        if entry is None or not isinstance(entry.get(key), dict):
            found = f"le contexte « {wanted} » désigne « {name} », absent de « {part} »"
            raise ClusterUnreachableError(tried, found, _ADVICE)
        kept[part] = [_absolute(copy.deepcopy(entry), key, path.parent)]
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": wanted,
        "contexts": [chosen],
        **kept,
    }


def _absolute(entry: dict[str, Any], key: str, folder: Path) -> dict[str, Any]:
    content = entry.get(key)
    if not isinstance(content, dict):
        return entry
    for name in ("certificate-authority", "client-certificate", "client-key", "tokenFile"):
        if content.get(name):
            # Not resolved: in a pod the token is behind a symlink, which the kubelet moves when it renews it.
            content[name] = str((folder / content[name]).absolute())
    command = (content.get("exec") or {}).get("command", "")
    if "/" in command:
        content["exec"]["command"] = str((folder / command).resolve())
    return entry


def load(path: Path, context: str | None = None) -> Access:
    """Return how to reach the server of a kubeconfig's context.

    Raises
    ------
    ClusterUnreachableError
        An unusable kubeconfig: missing file, context or certificate.
    """
    plain = minimal(read(path), path, context)
    cluster, user = plain["clusters"][0]["cluster"], plain["users"][0]["user"]
    tried = f"Lire le kubeconfig {path}"
    try:
        ca = _pem(cluster, "certificate-authority")
        cert, key = _pem(user, "client-certificate"), _pem(user, "client-key")
        plugin = _plugin(user, cluster, path, has_certificate=cert is not None)
        identity = _identity(user, plain, plugin)
        if plugin is not None and (credential := plugin.credential()).cert_pem is not None:
            cert, key = credential.cert_pem, credential.key_pem
        insecure = bool(cluster.get("insecure-skip-tls-verify"))
        secured = tls_context(ca_data=ca, verify=not insecure)
        _load_pair(secured, cert, key)
        if plugin is not None:
            plugin.renewed = lambda credential: _load_pair(
                secured, credential.cert_pem, credential.key_pem
            )
        server = _url(cluster, tls_wanted=insecure or ca is not None or cert is not None)
        proxy = _proxy(cluster, server)
    except (OSError, ValueError, KeyError) as error:  # ssl.SSLError is an OSError
        found = f"ses certificats ou son utilisateur sont inutilisables ({error})"
        raise ClusterUnreachableError(tried, found, _ADVICE) from None
    return Access(
        path=path,
        context=plain["current-context"],
        server=server,
        tls=secured if server.startswith("https:") else None,
        identity=identity,
        ca_pem=ca,
        cert_pem=cert,
        key_pem=key,
        server_hostname=cluster.get("tls-server-name"),
        proxy=proxy,
    )


def _plugin(
    user: dict[str, Any], cluster: dict[str, Any], path: Path, *, has_certificate: bool
) -> ExecPlugin | None:
    """Return the user's plugin, unless another way to say who one is goes before it."""
    others = any(user.get(name) for name in ("token", "tokenFile", "username"))
    if not user.get("exec") or others or has_certificate:
        return None
    from .exec_plugin import ExecPlugin

    return ExecPlugin(user["exec"], cluster, path)


def _url(cluster: dict[str, Any], *, tls_wanted: bool) -> str:
    """Return the server's URL; without a scheme it has the one that its certificates imply."""
    server = str(cluster["server"] if cluster.get("server") else "").rstrip("/")
    if not server:
        raise ValueError("« server » manque")
    return server if "://" in server else f"{'https' if tls_wanted else 'http'}://{server}"


def _proxy(cluster: dict[str, Any], server: str) -> str | None:
    """Return the proxy to the server: `proxy-url` counts whatever NO_PROXY says, for client-go too."""
    proxy = cluster.get("proxy-url") or _proxies.of_server(server, os.environ)
    if proxy and urlsplit(proxy).scheme not in ("http", "https"):
        raise ValueError(
            f"le mandataire {proxy} n’est pas en http ou https, le cours n’en connaît pas d’autre"
        )
    return proxy


def _pem(section: dict[str, Any], name: str) -> bytes | None:
    if data := section.get(f"{name}-data"):
        return base64.b64decode(data, validate=True)
    if file := section.get(name):
        return Path(file).read_bytes()
    return None


def _load_pair(context: ssl.SSLContext, cert: bytes | None, key: bytes | None) -> None:
    """Let a context show a certificate on its next connections."""
    if cert is None:
        return
    if key is None:
        raise ValueError("« client-key » manque")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "client.pem"
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as stream:
            stream.write(cert + b"\n" + key)
        context.load_cert_chain(file)


class _Fixed:
    """A header that does not change, or none."""

    def __init__(self, value: str | None) -> None:
        self._value = value

    def authorization(self) -> str | None:
        """Return the header."""
        return self._value

    def rejected(self) -> None:
        """Do nothing: there is no other."""


class _TokenFile:
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


class _Plugin:
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


class _AuthProvider:
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


def _identity(user: dict[str, Any], plain: dict[str, Any], plugin: ExecPlugin | None) -> Identity:
    """Return the identity that a user of a kubeconfig says: its ways in client-go's order.

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

    Source: https://github.com/kubernetes/client-go/blob/v0.37.0/tools/clientcmd/client_config.go
    """
    token = user.get("token")
    if token is not None and not isinstance(token, str):
        raise ValueError("« token » devrait être un texte : mettez-le entre guillemets")
    if user.get("tokenFile"):
        return _TokenFile(Path(user["tokenFile"]), token)
    if token:
        return _Fixed(f"Bearer {token.strip()}")
    if user.get("username"):
        pair = f"{user['username']}:{user.get('password', '')}"
        return _Fixed(f"Basic {base64.b64encode(pair.encode()).decode()}")
    if plugin is not None:
        return _Plugin(plugin)
    if user.get("auth-provider"):
        return _AuthProvider(plain)
    return _Fixed(None)
