"""Who can read a Secret: by base64, by RBAC, by a pod that mounts it, in etcd."""

from __future__ import annotations

import base64
from typing import Any

from .._api import ApiSession, ApiStatusError
from .._errors import PlatformError
from .._interruption import stoppable
from .._progress import Progress
from ..cluster import Cluster
from ..recording import Recording
from .play import Play, opened

FOLDER = "06_configmaps_et_secrets"
SECRET, KEY = "base", "mot-de-passe"
_POD_TIMEOUT_S = 60.0


@stoppable
def secrets(*, cluster: Cluster | None = None, progress: Progress | None = None) -> Recording:
    """Try to read a Secret in six ways, and record who is refused.

    Parameters
    ----------
    cluster : Cluster, optional
        Otherwise the one that `connect` returned. Where it gives no access to etcd that way is left out.
    progress : Progress, optional
        Told each step; otherwise what fits (notebook, terminal, log).

    Raises
    ------
    WaitTimeoutError
        The pod that mounts the Secret does not end.
    """
    with opened("secrets", FOLDER, cluster, progress) as show:
        api = show.cluster.api
        with show.play("secrets", "Lire un Secret") as play:
            play.apply("secret.yaml")
            play.apply("comptes.yaml")
            secret = play.namespace.path("secret", SECRET)
            with play.recorded():
                play.step("base64")
                _decode(play, api.request("GET", secret)["data"][KEY])
                play.step("RBAC")
                curious, reader, developer = (
                    api.acting_as(f"system:serviceaccount:{play.namespace.name}:{name}")
                    for name in ("curieux", "lecteur", "developpeur")
                )
                try_to_read(play, "Compte sans droit", curious, secret)
                try_to_read(play, "Compte au droit précis", reader, secret)
                all_secrets = play.namespace.path("secret")
                try_to_read(
                    play, "Compte au droit précis", reader, all_secrets, "lister tous les Secrets"
                )
                who = "Compte qui peut créer des pods"
                try_to_read(play, who, developer, secret)
                play.step("un pod qui monte le Secret")
                _read_by_pod(play, who, developer)
                play.step("etcd")
                try:
                    look_into_etcd(play, show.cluster, "Qui a accès à etcd")
                except PlatformError as error:
                    play.parameters["etcd"] = error.found
        return show.recording()


def _decode(play: Play, encoded: str) -> None:
    word = base64.b64decode(encoded).decode()
    play.attempt(
        "Qui voit le YAML", "décoder le base64, sans aucune clé", True, "lu", f"{encoded} → {word}"
    )


def try_to_read(
    play: Play, who: str, api: ApiSession, path: str, what: str = "lire le Secret par l’API"
) -> None:
    """Ask for a Secret, or for all; the refusal is told as kubectl tells it."""
    try:
        found = api.request("GET", path)
    except ApiStatusError as error:
        play.attempt(who, what, False, str(error.code), str(error.status.get("message", "")))
        return
    data = found.get("data", {}).get(KEY, "")
    play.attempt(who, what, True, "lu", base64.b64decode(data).decode())


def _read_by_pod(play: Play, who: str, api: ApiSession) -> None:
    """Make a pod that writes the Secret into its log, and read the log, all with one account."""
    (pod,) = play.read("pod-bavard.yaml")
    api.request("POST", play.namespace.path("pod"), body=pod)
    name = pod["metadata"]["name"]
    play.in_background(lambda: play.namespace.wait("pod", name, _over, _POD_TIMEOUT_S))
    said = api.text(f"{play.namespace.path('pod', name)}/log").strip()
    play.attempt(who, "le lire par un pod qui le reçoit", True, "lu", said)


def _over(pod: dict[str, Any]) -> bool:
    return pod["status"].get("phase") in ("Succeeded", "Failed")


def look_into_etcd(play: Play, cluster: Cluster, who: str) -> None:
    """Read the Secret where the API server writes it, and say whether the word can be read there.

    Raises
    ------
    PlatformError
        The provider gives no access to etcd.
    """
    key = f"/registry/secrets/{play.namespace.name}/{SECRET}"
    raw = cluster.provider.read_etcd(key) or b""
    (written,) = play.read("secret.yaml")
    at = raw.find(written["stringData"][KEY].encode())
    detail = readable(raw[:40])
    if at > 0:
        detail = f"{detail}… …{readable(raw[at - 20 : at + 40])}…"
    play.attempt(
        who, "lire la valeur dans etcd", at > 0, "en clair" if at > 0 else "chiffré", detail
    )


def readable(raw: bytes) -> str:
    """Return bytes as text, "·" in the place of what is not readable."""
    return "".join(chr(one) if 32 <= one < 127 else "·" for one in raw)
