"""From a kubeconfig to what a connection needs: address, TLS and the way to prove who one is.

Inline certificates never become files that outlive the call: `ssl` reads client certificates only from files, so
they exist for the milliseconds that takes. Tokens, `exec` plugins and their renewal are the official client's work.
"""

from __future__ import annotations

import base64
import copy
import os
import ssl
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import proxy_bypass

import yaml

from . import _french, _yaml_faults
from ._errors import ClusterUnreachableError

_ADVICE = "Vérifiez le chemin (variable KUBECONFIG ou K8S_HELPERS_KUBECONFIG) et l’accès avec « kubectl cluster-info »."


@dataclass(frozen=True)
class Access:
    """How to reach one API server as one user.

    Attributes
    ----------
    server : str
        `https://host:port`, without a final slash.
    tls : ssl.SSLContext or None
        None for a plain `http://` server (`kubectl proxy`).
    authorization : callable
        Returns the `Authorization` header's value now, or None; renews what has expired.
    ca_pem, cert_pem, key_pem : bytes or None
        The same TLS material for tools that want files.
    server_hostname : str or None
        Name expected in the server's certificate, where it is not the address.
    proxy : str or None
        HTTP proxy that leads there; never used for loopback addresses.
    """

    path: Path
    context: str
    server: str
    tls: ssl.SSLContext | None
    authorization: Callable[[], str | None] = field(repr=False)
    ca_pem: bytes | None = field(default=None, repr=False)
    cert_pem: bytes | None = field(default=None, repr=False)
    key_pem: bytes | None = field(default=None, repr=False)
    server_hostname: str | None = None
    proxy: str | None = None

    @property
    def loopback(self) -> bool:
        """Whether the API server is on this machine."""
        return is_loopback(urlsplit(self.server).hostname or "")


def is_loopback(host: str) -> bool:
    """Return whether a host name or address is this machine's own."""
    return host in ("localhost", "::1") or host.startswith("127.")


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
        plain = yaml.safe_load(text)
    except OSError as error:
        raise ClusterUnreachableError(tried, _french.system(error), _ADVICE) from None
    except UnicodeDecodeError:
        found = "ce n’est pas du texte en UTF-8"
        raise ClusterUnreachableError(tried, found, _ADVICE) from None
    except yaml.YAMLError as error:
        place, found, advice = _yaml_faults.explain(error, str(path), text)
        raise ClusterUnreachableError(tried, f"{place} : {found}", advice) from None
    if not isinstance(plain, dict) or not all(
        isinstance(plain.get(part), list) for part in ("clusters", "contexts", "users")
    ):
        found = "ce n’est pas un kubeconfig : il y manque « clusters », « contexts » ou « users »"
        raise ClusterUnreachableError(tried, found, _ADVICE)
    return plain


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
    content = entry[key]
    for name in ("certificate-authority", "client-certificate", "client-key", "tokenFile"):
        if content.get(name):
            content[name] = str((folder / content[name]).resolve())
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
        ca, cert, key = (
            _pem(cluster, "certificate-authority"),
            _pem(user, "client-certificate"),
            _pem(user, "client-key"),
        )
        configuration = _official(plain)
        if cert is None and configuration.cert_file:  # an exec plugin gave a certificate
            cert, key = (
                Path(configuration.cert_file).read_bytes(),
                Path(configuration.key_file).read_bytes(),
            )
        tls = _tls(ca, cert, key, verify=configuration.verify_ssl)
    except (OSError, ValueError, KeyError) as error:  # ssl.SSLError is an OSError
        found = f"ses certificats ou son utilisateur sont inutilisables ({error})"
        raise ClusterUnreachableError(tried, found, _ADVICE) from None
    server = str(configuration.host).rstrip("/")
    host = urlsplit(server).hostname or ""
    direct = is_loopback(host) or bool(proxy_bypass(host))
    return Access(
        path=path,
        context=plain["current-context"],
        server=server,
        tls=tls if server.startswith("https:") else None,
        authorization=lambda: configuration.get_api_key_with_prefix("BearerToken", "authorization"),
        ca_pem=ca,
        cert_pem=cert,
        key_pem=key,
        server_hostname=configuration.tls_server_name,
        proxy=None if direct else configuration.proxy,
    )


def _official(plain: dict[str, Any]) -> Any:
    """Let the official client work out address and identity, without the certificates that it would put in files."""
    from kubernetes.client import Configuration
    from kubernetes.config import ConfigException, load_kube_config_from_dict

    stripped = copy.deepcopy(plain)
    for part, key in (("clusters", "cluster"), ("users", "user")):
        for name in ("certificate-authority", "client-certificate", "client-key"):
            stripped[part][0][key].pop(name, None)
            stripped[part][0][key].pop(f"{name}-data", None)
    configuration = Configuration()
    try:
        load_kube_config_from_dict(stripped, client_configuration=configuration)
    except ConfigException as error:
        raise ValueError(str(error)) from None
    return configuration


def _pem(section: dict[str, Any], name: str) -> bytes | None:
    if data := section.get(f"{name}-data"):
        return base64.b64decode(data, validate=True)
    if file := section.get(name):
        return Path(file).read_bytes()
    return None


def _tls(
    ca: bytes | None, cert: bytes | None, key: bytes | None, *, verify: bool
) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=ca.decode() if ca else None)
    # Clusters' own authorities rarely have every extension that the strict mode of Python 3.13 asks for.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if cert is not None:
        if key is None:
            raise ValueError("« client-key » manque")
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "client.pem"
            with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as stream:
                stream.write(cert + b"\n" + key)
            context.load_cert_chain(file)
    return context
