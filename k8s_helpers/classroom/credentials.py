"""A student's kubeconfig: the token of a ServiceAccount, with an end, in a file that only its owner reads."""

from __future__ import annotations

import base64
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from embedded_kubernetes.files import write_whole

from .._errors import UsageError
from ..kube import kubeconfig as _kubeconfig
from ..kube.api import ApiSession
from ..kube.classes import home_name
from .objects import ACCOUNT

SHORTEST = timedelta(minutes=10)
"""What a server grants at least.

Source: https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/token-request-v1/
"""
TOLERANCE = timedelta(minutes=5)
"""A token that ends so much earlier than asked for ends when it was to."""

SUFFIX = ".kubeconfig"


@dataclass(frozen=True)
class StudentAccess:
    """A student's kubeconfig file.

    Attributes
    ----------
    student : str
        The id.
    path : Path
        The file.
    asked, expires : datetime
        When its token was to end, and when it does: a server may grant less.
    """

    student: str
    path: Path
    asked: datetime
    expires: datetime

    @property
    def shortened(self) -> bool:
        """Whether the server grants less than was asked for."""
        return self.expires < self.asked - TOLERANCE


def end(until: datetime | None, days: float, now: datetime) -> datetime:
    """Return when tokens are to end.

    Parameters
    ----------
    until : datetime, optional
        The last day, whole, as a local time without zone.
    days : float
        From now on, where there is no `until`.
    now : datetime
        With its zone.

    Raises
    ------
    UsageError
        That is over, or sooner than a server grants.
    """
    last = None if until is None else (until + timedelta(days=1)).astimezone()
    wished = last or now + timedelta(days=days)
    if wished < now + SHORTEST:
        raise UsageError(
            f"Donner des jetons jusqu’au {wished:%d/%m/%Y %H:%M}",
            "c’est passé, ou dans moins de dix minutes",
            "Donnez la fin du semestre : --until 2027-02-01, ou --days 120.",
        )
    return wished


def issue(
    api: ApiSession, class_name: str, student: str, expires: datetime, folder: Path, server: str
) -> StudentAccess:
    """Ask for a token and write the kubeconfig; an older file of the student's is replaced.

    Parameters
    ----------
    expires : datetime
        When the token is to end, with its zone.
    folder : Path
        Where `STUDENT.kubeconfig` goes, with mode 0600.
    server : str
        The API server's URL for the students; "" for the one in use here.
    """
    home = home_name(class_name, student)
    seconds = int((expires - datetime.now(UTC)).total_seconds())
    body = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenRequest",
        "spec": {"expirationSeconds": max(seconds, int(SHORTEST.total_seconds()))},
    }
    path = f"/api/v1/namespaces/{home}/serviceaccounts/{ACCOUNT}/token"
    status = api.request("POST", path, body=body)["status"]
    plain = kubeconfig(api.access, class_name, student, status["token"], server)
    target = folder / f"{student}{SUFFIX}"
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(target, yaml.safe_dump(plain, sort_keys=False), private=True)
    granted = datetime.fromisoformat(status["expirationTimestamp"])
    return StudentAccess(student, target, expires, granted)


def kubeconfig(
    access: _kubeconfig.Access, class_name: str, student: str, token: str, server: str = ""
) -> dict[str, Any]:
    """Return a student's kubeconfig: the teacher's server, the student's token, the home namespace.

    Parameters
    ----------
    access : Access
        The teacher's: its server, authority and name in the certificate.
    server : str
        Another URL of the same server, where students reach it by another one.
    """
    cluster: dict[str, Any] = {"server": server.rstrip("/") or access.server}
    if access.ca_pem is not None:
        cluster["certificate-authority-data"] = base64.b64encode(access.ca_pem).decode()
    elif access.tls is not None and access.tls.verify_mode is ssl.CERT_NONE:
        cluster["insecure-skip-tls-verify"] = True
    if access.server_hostname:
        cluster["tls-server-name"] = access.server_hostname
    name = home_name(class_name, student)
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": name,
        "clusters": [{"name": class_name, "cluster": cluster}],
        "contexts": [
            {"name": name, "context": {"cluster": class_name, "user": name, "namespace": name}}
        ],
        "users": [{"name": name, "user": {"token": token}}],
    }


def files(folder: Path, class_name: str) -> dict[str, Path]:
    """Return the students' kubeconfigs of a class that a folder has, by their ids; others are left out."""
    found: dict[str, Path] = {}
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        student = path.name.removesuffix(SUFFIX)
        if _kubeconfig.read(path).get("current-context") == home_name(class_name, student):
            found[student] = path
    return found
