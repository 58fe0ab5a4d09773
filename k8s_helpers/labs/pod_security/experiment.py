"""Pod Security admission: what each level refuses, and how it says so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..._interruption import stoppable
from ..._progress import Progress
from ...cluster import Cluster, admission
from ...measure.lane import Lane
from ...measure.recording import Recording
from .codes import Outcome, What, Who
from .lab import LAB
from .words import WORDS

LEVELS: Mapping[Who, Mapping[str, str]] = {
    Who.NO_LABEL: {},
    Who.ENFORCE_BASELINE: {"enforce": "baseline"},
    Who.WARN_RESTRICTED: {"warn": "restricted"},
    Who.ENFORCE_RESTRICTED: {"enforce": "restricted"},
}
PODS = {
    What.PRIVILEGED: "pod-privilegie.yaml",
    What.ORDINARY: "pod-ordinaire.yaml",
    What.HARDENED: "pod-durci.yaml",
}
_REFUSED_TIMEOUT_S = 30.0


@stoppable
def measure(*, cluster: Cluster | None = None, progress: Progress | None = None) -> Recording:
    """Ask for three pods under each level of the Pod Security Standards, then for a Deployment under the strictest.

    The pods are asked for with `dryRun`: admission judges them, and none starts.

    Parameters
    ----------
    cluster, progress
        Otherwise the cluster that `connect` returned, and what fits here (notebook, terminal, log).

    Raises
    ------
    WaitTimeoutError
        The Deployment's ReplicaSet does not say that its pods are refused.

    Source: https://kubernetes.io/docs/concepts/security/pod-security-admission/
    """
    with (
        LAB.open(cluster, progress, live=False) as measure,
        measure.lane("niveaux", "Pod Security") as lane,
    ):
        with lane.recorded():
            for who, levels in LEVELS.items():
                lane.step(WORDS.who[who])
                admission.set_levels(measure.cluster.api, lane.namespace.name, **levels)
                for what, manifest in PODS.items():
                    _ask(measure.cluster, lane, who, what, manifest)
            lane.step("un Deployment sous « restricted »")
            _deploy(lane)
        return measure.recording()


def _ask(cluster: Cluster, lane: Lane, who: Who, what: What, manifest: str) -> None:
    (pod,) = lane.read(manifest)
    accepted, message = admission.judge(cluster.api, lane.namespace.name, pod)
    answer = (Outcome.WARNED if message else Outcome.ACCEPTED) if accepted else Outcome.REFUSED
    lane.attempt(who, what, accepted, answer, message)


def _deploy(lane: Lane) -> None:
    """Note that a Deployment is taken, and what becomes of its pods."""
    (deployment,) = lane.apply("deployment-ordinaire.yaml")
    name = deployment["metadata"]["name"]
    lane.attempt(Who.ENFORCE_RESTRICTED, What.DEPLOYMENT, True, Outcome.ACCEPTED)
    messages: list[str] = []

    def refused() -> bool:
        messages[:] = filter(None, map(_failure, lane.namespace.list("replicaset")))
        return bool(messages)

    lane.until(refused, _REFUSED_TIMEOUT_S, "le ReplicaSet dit que ses pods sont refusés")
    ready = lane.namespace.get("deployment", name).get("status", {}).get("readyReplicas", 0) > 0
    answer = Outcome.READY_POD if ready else Outcome.NO_POD
    lane.attempt(Who.REPLICA_SET, What.OWN_POD, ready, answer, messages[0])


def _failure(replica_set: dict[str, Any]) -> str:
    """Return why a ReplicaSet cannot make its pods; "" where it can."""
    conditions = replica_set.get("status", {}).get("conditions", ())
    return next((item["message"] for item in conditions if item["type"] == "ReplicaFailure"), "")
