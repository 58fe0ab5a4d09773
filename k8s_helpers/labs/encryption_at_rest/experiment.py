"""What etcd keeps of a Secret before, during and after encryption at rest."""

from __future__ import annotations

import base64
import secrets
from pathlib import Path
from typing import Any

import yaml

from ..._interruption import stoppable
from ..._progress import Progress
from ...cluster import Cluster, current_cluster
from ...kube.api import ApiSession, ApiStatusError
from ...measure.lane import Lane
from ...measure.recording import Recording
from ...measure.secret_reads import MANIFEST, SECRET, read_by_api, read_in_etcd
from .codes import What, Who
from .lab import LAB

_KEY_BYTES = 32
_SECRETS = "/api/v1/secrets"


@stoppable
def measure(*, cluster: Cluster | None = None, progress: Progress | None = None) -> Recording:
    """Encrypt Secrets in etcd, look at what is kept there at each step, then go back.

    The API server is restarted four times, for a few seconds each. Whatever happens, every Secret of the cluster ends
    up readable: the key goes only once nothing is encrypted with it.

    Parameters
    ----------
    cluster : Cluster, optional
        Otherwise the one that `connect` returned; embedded only.
    progress
        Otherwise what fits here (notebook, terminal, log).

    Raises
    ------
    PlatformError
        The provider lets nobody change its API server.
    """
    cluster = cluster or current_cluster()
    with LAB.open(cluster, progress, versions=(), live=False) as measure:
        leave_encryption(cluster)  # of a run that was killed
        with measure.lane("etcd", "Chiffrer dans etcd") as lane:
            lane.stopped_components.add("kube-apiserver")
            lane.apply(MANIFEST)
            with lane.recorded():
                lane.step("sans chiffrement")
                _look(lane, cluster, Who.NO_KEY)
                try:
                    lane.step("le serveur d’API reçoit une clé")
                    lane.mark("encrypt")
                    cluster.provider.encrypt_at_rest(_configuration(measure.folder))
                    _look(lane, cluster, Who.KEY_ADDED)
                    lane.step("tous les Secrets sont réécrits")
                    lane.mark("rewrite")
                    rewrite_secrets(cluster.api)
                    _look(lane, cluster, Who.REWRITTEN)
                    lane.step("retour sans chiffrement")
                    lane.mark("decrypt")
                finally:
                    leave_encryption(cluster)
                _look(lane, cluster, Who.KEY_REMOVED)
        return measure.recording()


def _look(lane: Lane, cluster: Cluster, who: Who) -> None:
    read_by_api(lane, who, What.GET, cluster.api, lane.namespace.path("secret", SECRET))
    read_in_etcd(lane, who, What.ETCD, cluster)


def _configuration(folder: Path) -> str:
    """Return the course's configuration with a key of its own."""
    plain = yaml.safe_load((folder / "chiffrement.yaml").read_text(encoding="utf-8"))
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
        others = [provider for provider in rule["providers"] if "identity" not in provider]
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
