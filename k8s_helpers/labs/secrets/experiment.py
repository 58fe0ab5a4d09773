"""Who can read a Secret: by base64, by RBAC, by a pod that mounts it, in etcd."""

from __future__ import annotations

import base64
from contextlib import suppress
from typing import Any

from ..._errors import PlatformError
from ..._interruption import stoppable
from ..._progress import Progress
from ...cluster import Cluster
from ...kube.api import ApiSession
from ...measure.lane import Lane
from ...measure.recording import Recording
from ...measure.secret_reads import KEY, MANIFEST, SECRET, read_by_api, read_in_etcd
from .codes import Outcome, What, Who
from .lab import LAB

_POD_TIMEOUT_S = 60.0


@stoppable
def measure(*, cluster: Cluster | None = None, progress: Progress | None = None) -> Recording:
    """Try to read a Secret in six ways, and record who is refused.

    Parameters
    ----------
    cluster : Cluster, optional
        Otherwise the one that `connect` returned. Where it gives no access to etcd that way is left out.
    progress
        Otherwise what fits here (notebook, terminal, log).

    Raises
    ------
    WaitTimeoutError
        The pod that mounts the Secret does not end.
    """
    with LAB.open(cluster, progress, live=False) as measure:
        api = measure.cluster.api
        with measure.lane("secrets", "Lire un Secret") as lane:
            lane.apply(MANIFEST)
            lane.apply("comptes.yaml")
            secret, all_secrets = (
                lane.namespace.path("secret", SECRET),
                lane.namespace.path("secret"),
            )
            with lane.recorded():
                lane.step("base64")
                _decode(lane, api.request("GET", secret)["data"][KEY])
                lane.step("RBAC")
                curious, reader, developer = (
                    api.acting_as(f"system:serviceaccount:{lane.namespace.name}:{name}")
                    for name in ("curieux", "lecteur", "developpeur")
                )
                read_by_api(lane, Who.NO_RIGHTS, What.GET, curious, secret)
                read_by_api(lane, Who.GET_RIGHT, What.GET, reader, secret)
                read_by_api(lane, Who.GET_RIGHT, What.LIST, reader, all_secrets)
                read_by_api(lane, Who.POD_CREATOR, What.GET, developer, secret)
                lane.step("un pod qui monte le Secret")
                _read_by_pod(lane, developer)
                lane.step("etcd")
                with suppress(PlatformError):
                    read_in_etcd(lane, Who.ETCD_READER, What.ETCD, measure.cluster)
        return measure.recording()


def _decode(lane: Lane, encoded: str) -> None:
    word = base64.b64decode(encoded).decode()
    lane.attempt(Who.YAML_READER, What.DECODE, True, Outcome.READ, f"{encoded} → {word}")


def _read_by_pod(lane: Lane, api: ApiSession) -> None:
    """Make a pod that writes the Secret into its log, and read the log, all with one account."""
    (pod,) = lane.read("pod-bavard.yaml")
    api.request("POST", lane.namespace.path("pod"), body=pod)
    name = pod["metadata"]["name"]
    lane.in_background(lambda: lane.namespace.wait("pod", name, _over, _POD_TIMEOUT_S))
    log = api.text(f"{lane.namespace.path('pod', name)}/log").strip()
    lane.attempt(Who.POD_CREATOR, What.MOUNT, True, Outcome.READ, log)


def _over(pod: dict[str, Any]) -> bool:
    return pod["status"].get("phase") in ("Succeeded", "Failed")
