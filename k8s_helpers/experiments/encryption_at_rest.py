"""What etcd keeps of a Secret before, during and after encryption at rest."""

from __future__ import annotations

import base64
import secrets
from typing import Any

import yaml

from .._api import ApiSession, ApiStatusError
from .._interruption import stoppable
from .._progress import Progress
from ..cluster import Cluster, current_cluster
from ..recording import Recording
from . import fidelity
from .play import MANIFESTS, Play, opened
from .secrets_rbac import FOLDER, SECRET, look_into_etcd, try_to_read

_KEY_BYTES = 32
_SECRETS = "/api/v1/secrets"


@stoppable
def encryption_at_rest(
    *, cluster: Cluster | None = None, progress: Progress | None = None
) -> Recording:
    """Encrypt Secrets in etcd, look at what is kept there at each step, then go back.

    The API server is restarted four times, for a few seconds each. Whatever happens, every Secret of the cluster ends
    up readable: the key goes only once nothing is encrypted with it.

    Parameters
    ----------
    cluster : Cluster, optional
        Otherwise the one that `connect` returned; embedded only.
    progress : Progress, optional
        Told each step; otherwise what fits (notebook, terminal, log).

    Raises
    ------
    PlatformError
        The provider lets nobody change its API server.
    """
    cluster = cluster or current_cluster()
    fidelity.require("encryption_at_rest", cluster)
    with opened("encryption_at_rest", FOLDER, cluster, progress, versions=()) as show:
        leave_encryption(cluster)  # of a run that was killed
        with show.play("etcd", "Chiffrer dans etcd") as play:
            play.asked.add("kube-apiserver")
            play.apply("secret.yaml")
            with play.recorded():
                play.step("sans chiffrement")
                _look(play, cluster, "Sans chiffrement")
                try:
                    play.step("le serveur d’API reçoit une clé")
                    play.mark("encrypt")
                    cluster.provider.encrypt_at_rest(_configuration())
                    _look(play, cluster, "Avec une clé, sans rien réécrire")
                    play.step("tous les Secrets sont réécrits")
                    play.mark("rewrite")
                    rewrite_secrets(cluster.api)
                    _look(play, cluster, "Secrets réécrits avec la clé")
                    play.step("retour sans chiffrement")
                    play.mark("decrypt")
                finally:
                    leave_encryption(cluster)
                _look(play, cluster, "Réécrits en clair, clé retirée")
        return show.recording()


def _look(play: Play, cluster: Cluster, who: str) -> None:
    try_to_read(play, who, cluster.api, play.namespace.path("secret", SECRET))
    look_into_etcd(play, cluster, who)


def _configuration() -> str:
    """Return the course's configuration with a key of its own."""
    plain = yaml.safe_load((MANIFESTS / FOLDER / "chiffrement.yaml").read_text(encoding="utf-8"))
    (rule,) = plain["resources"]
    (key,) = rule["providers"][0]["secretbox"]["keys"]
    key["secret"] = base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode()
    return yaml.safe_dump(plain, sort_keys=False)


def leave_encryption(cluster: Cluster) -> None:
    """Write all Secrets in clear again, then take the key from the API server; nothing happens where it has none.

    Source: https://kubernetes.io/docs/tasks/administer-cluster/decrypt-data/
    """
    text = cluster.provider.encryption()
    if text is None:
        return
    with cluster.api.patient():
        cluster.provider.encrypt_at_rest(identity_first(text))
        rewrite_secrets(cluster.api)
        cluster.provider.encrypt_at_rest(None)


def identity_first(text: str) -> str:
    """Return a configuration that writes in clear and still reads what its keys have encrypted."""
    plain = yaml.safe_load(text)
    for rule in plain["resources"]:
        others = [one for one in rule["providers"] if "identity" not in one]
        rule["providers"] = [{"identity": {}}, *others]
    return yaml.safe_dump(plain, sort_keys=False)


def rewrite_secrets(api: ApiSession) -> None:
    """Replace each Secret of the cluster by itself: what is written is encrypted by the provider that comes first.

    It is what `kubectl get secrets -A -o json | kubectl replace -f -` does.
    """
    for item in api.request("GET", _SECRETS)["items"]:
        _rewrite(api, item)


def _rewrite(api: ApiSession, item: dict[str, Any]) -> None:
    metadata = item["metadata"]
    path = f"/api/v1/namespaces/{metadata['namespace']}/secrets/{metadata['name']}"
    while True:
        try:
            api.request("PUT", path, body=item)
            return
        except ApiStatusError as error:
            if error.code == 404:  # deleted meanwhile, or its namespace ends
                return
            if error.code != 409:
                raise
        try:
            item = api.request("GET", path)  # changed meanwhile
        except ApiStatusError as error:
            if error.code == 404:
                return
            raise
