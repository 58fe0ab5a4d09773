"""A NetworkPolicy that refuses everything: the API takes it, and who enforces it is measured."""

from __future__ import annotations

from ..._interruption import stoppable
from ..._progress import Progress
from ...cluster import Cluster
from ...measure.in_pod import fetch
from ...measure.lane import Lane
from ...measure.recording import Recording
from .codes import Calls, Outcome, What, Who
from .lab import LAB

_POD_TIMEOUT_S = 60.0
_NAME_TIMEOUT_S = 30.0
_CALLS = 3


@stoppable
def measure(
    *, cluster: Cluster | None = None, settle_s: float = 5.0, progress: Progress | None = None
) -> Recording:
    """Call a server from another pod, before and after a policy that lets nothing in.

    Parameters
    ----------
    cluster
        Otherwise the one that `connect` returned.
    settle_s : float
        What a network plugin gets to apply the policy, in seconds.
    progress
        Otherwise what fits here (notebook, terminal, log).

    Raises
    ------
    WaitTimeoutError
        The server does not answer even before the policy.

    Source: https://kubernetes.io/docs/concepts/services-networking/network-policies/#prerequisites
    """
    with (
        LAB.open(cluster, progress, live=False) as measure,
        measure.lane("politique", "NetworkPolicy") as lane,
    ):
        lane.deploy("serveur.yaml")
        lane.apply("client.yaml")
        lane.in_background(lambda: lane.namespace.wait("pod", "client", "Ready", _POD_TIMEOUT_S))
        with lane.recorded():
            lane.step("appels sans politique")
            lane.until(lambda: _answer(lane)[0], _NAME_TIMEOUT_S, "le serveur répond au client")
            _call(lane, Who.NO_POLICY)
            lane.step("politique : rien n’entre dans le serveur")
            lane.mark("policy")
            (policy,) = lane.apply("tout-refuser.yaml")
            uid = policy["metadata"]["uid"]
            lane.attempt(Who.DENY_ALL, What.CREATE, True, Outcome.CREATED, f"uid {uid}")
            lane.pause(settle_s)
            _call(lane, Who.DENY_ALL)
        return measure.recording()


def _answer(lane: Lane) -> tuple[bool, str]:
    version, detail = fetch(lane.namespace, "client", "http://serveur")
    return version is not None, detail


def _call(lane: Lane, who: Who) -> None:
    """Call some times: blocked means that no call passes."""
    answers = [_answer(lane) for _ in range(_CALLS)]
    made = Calls(sum(ok for ok, _ in answers), _CALLS, answers[-1][1])
    answer = Outcome.ANSWERED if made.answered else Outcome.BLOCKED
    lane.attempt(who, What.CALL, made.answered > 0, answer, str(made))
