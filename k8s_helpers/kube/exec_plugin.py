"""Who one is by a program that the kubeconfig names (`exec:`), as client-go asks it: managed clusters need theirs.

Source: https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins
"""

from __future__ import annotations

import base64
import datetime
import json
import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from embedded_kubernetes.processes import CommandError, run

from .._errors import ClusterUnreachableError

_VERSIONS = ("client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1")
_EXTENSION = "client.authentication.k8s.io/exec"
_TIMEOUT_S = 120.0


@dataclass(frozen=True)
class Credential:
    """What a plugin has answered.

    Attributes
    ----------
    token : str or None
        For `Authorization: Bearer`.
    cert_pem, key_pem : bytes or None
        A client certificate and its key.
    expires : datetime or None
        When the plugin is to be asked again; None: never.
    """

    token: str | None
    cert_pem: bytes | None
    key_pem: bytes | None
    expires: datetime.datetime | None

    @property
    def expired(self) -> bool:
        """Whether its time is over."""
        return self.expires is not None and datetime.datetime.now(datetime.UTC) > self.expires


class ExecPlugin:
    """A plugin and its last answer; safe to use from several threads.

    Parameters
    ----------
    config : mapping
        The user's `exec`.
    cluster : mapping
        The kubeconfig's cluster, of which a plugin may be told (`provideClusterInfo`).
    path : Path
        The kubeconfig, for the errors.

    Attributes
    ----------
    renewed : callable
        Told each new answer.

    Raises
    ------
    ClusterUnreachableError
        It cannot be used as it is written.
    """

    def __init__(self, config: Mapping[str, Any], cluster: Mapping[str, Any], path: Path) -> None:
        self._config = config
        self._cluster = cluster
        self._command = str(config.get("command") or "")
        self._tried = f"S’identifier par le programme « {self._command} » (kubeconfig {path})"
        self._lock = threading.Lock()
        self.renewed: Callable[[Credential], None] = lambda _: None
        self._credential: Credential | None = None
        version = config.get("apiVersion")
        if not self._command or version not in _VERSIONS:
            raise self._error(
                f"« exec » y a command {self._command!r} et apiVersion {version!r}",
                f"Il faut une commande, et l’apiVersion {' ou '.join(_VERSIONS)}.",
            )
        mode = config.get("interactiveMode")
        if mode is None and version == _VERSIONS[0]:
            raise self._error(
                "« interactiveMode » manque, que cette apiVersion exige",
                "Ajoutez « interactiveMode: IfAvailable » sous « exec: ».",
            )
        if mode == "Always":
            raise self._error(
                "il veut parler avec vous dans un terminal (interactiveMode: Always)",
                "Connectez-vous d’abord dans un terminal (« kubectl get namespaces »), puis prenez un kubeconfig "
                "avec un jeton.",
            )

    def credential(self) -> Credential:
        """Return who one is now, from the last answer while it lasts.

        Raises
        ------
        ClusterUnreachableError
            The program is missing, fails, or answers otherwise than it should; names it and tells what it said.
        """
        with self._lock:
            if self._credential is None or self._credential.expired:
                self._credential = self._ask()
                self.renewed(self._credential)
            return self._credential

    def forget(self) -> None:
        """Ask again next time: the server did not know the last answer."""
        with self._lock:
            self._credential = None

    def _ask(self) -> Credential:
        variables = {
            str(variable["name"]): str(variable["value"])
            for variable in self._config.get("env") or ()
        }
        variables["KUBERNETES_EXEC_INFO"] = json.dumps(self._question())
        argv = [self._command, *map(str, self._config.get("args") or ())]
        try:
            done = run(argv, timeout_s=_TIMEOUT_S, check=False, env=variables)
        except CommandError as error:
            raise self._missing(error.found) from None
        except OSError as error:  # not executable, no program at all
            raise self._missing(f"« {self._command} » ne se lance pas ({error.strerror})") from None
        said = "".join(f"\n    {line}" for line in done.stderr.strip().splitlines()[-8:])
        if done.returncode != 0:
            raise self._error(
                f"il échoue avec le code {done.returncode}" + (f" et dit :{said}" if said else ""),
                "Faites ce qu’il demande (souvent : vous reconnecter), puis recommencez.",
            )
        return self._read(done.stdout, said)

    def _question(self) -> dict[str, Any]:
        spec: dict[str, Any] = {"interactive": False}
        if self._config.get("provideClusterInfo"):
            spec["cluster"] = self._cluster_info()
        return {"kind": "ExecCredential", "apiVersion": self._config["apiVersion"], "spec": spec}

    def _cluster_info(self) -> dict[str, Any]:
        names = (
            "server",
            "tls-server-name",
            "insecure-skip-tls-verify",
            "proxy-url",
            "disable-compression",
        )
        found = {name: self._cluster[name] for name in names if self._cluster.get(name)}
        if data := self._cluster.get("certificate-authority-data"):
            found["certificate-authority-data"] = data
        elif file := self._cluster.get("certificate-authority"):
            content = Path(file).read_bytes()
            found["certificate-authority-data"] = base64.b64encode(content).decode()
        for extension in self._cluster.get("extensions") or ():
            if extension.get("name") == _EXTENSION:
                found["config"] = extension.get("extension")
        return found

    def _read(self, stdout: str, said: str) -> Credential:
        try:
            answer = json.loads(stdout)
            version, status = answer["apiVersion"], answer.get("status") or {}
            token = status.get("token") or None
            cert, key = status.get("clientCertificateData"), status.get("clientKeyData")
            expires = status.get("expirationTimestamp")
            until = None if expires is None else _instant(expires)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise self._useless(
                f"sa réponse n’est pas un ExecCredential ({error!r})", said
            ) from None
        if version != self._config["apiVersion"]:
            raise self._useless(
                f"il répond en {version}, le kubeconfig attend {self._config['apiVersion']}", said
            )
        if bool(cert) != bool(key):
            raise self._useless("il donne un certificat sans clé, ou une clé sans certificat", said)
        if not token and not cert:
            raise self._useless("il ne donne ni jeton ni certificat", said)
        cert_pem, key_pem = (str(text).encode() if text else None for text in (cert, key))
        return Credential(token, cert_pem, key_pem, until)

    def _missing(self, found: str) -> ClusterUnreachableError:
        hint = str(self._config.get("installHint") or "").strip()
        where = f"Le kubeconfig dit comment l’installer :\n    {hint}" if hint else (
            "Installez-le (la documentation de votre cluster le nomme) et vérifiez qu’il est dans le PATH"
            f" : {os.environ.get('PATH', '')}"
        )  # fmt: skip
        return self._error(found, where)

    def _useless(self, found: str, said: str) -> ClusterUnreachableError:
        return self._error(
            found + (f" ; il dit aussi :{said}" if said else ""),
            "Mettez ce programme à jour, ou l’apiVersion sous « exec: » dans le kubeconfig.",
        )

    def _error(self, found: str, advice: str) -> ClusterUnreachableError:
        return ClusterUnreachableError(self._tried, found, advice)


def _instant(text: str) -> datetime.datetime:
    found = datetime.datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=datetime.UTC)
