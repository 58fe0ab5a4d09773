"""A NetworkPolicy that refuses everything: the API takes it, and who enforces it is measured."""

from __future__ import annotations

import time

from .._interruption import stoppable
from .._progress import Progress
from ..cluster import Cluster
from ..recording import Recording
from .in_pod import fetch
from .play import Play, opened

FOLDER = "15_pour_aller_plus_loin"
_POD_TIMEOUT_S = 60.0
_NAME_TIMEOUT_S = 30.0
_CALLS = 3


@stoppable
def network_policy(
    *, cluster: Cluster | None = None, settle_s: float = 5.0, progress: Progress | None = None
) -> Recording:
    """Call a server from another pod, before and after a policy that lets nothing in.

    Parameters
    ----------
    cluster : Cluster, optional
        Otherwise the one that `connect` returned.
    settle_s : float
        What a network plugin gets to apply the policy, in seconds.
    progress : Progress, optional
        Told each step; otherwise what fits (notebook, terminal, log).

    Raises
    ------
    WaitTimeoutError
        The server does not answer even before the policy.

    Source: https://kubernetes.io/docs/concepts/services-networking/network-policies/#prerequisites
    """
    with (
        opened("network_policy", FOLDER, cluster, progress) as show,
        show.play("politique", "NetworkPolicy") as play,
    ):
        play.deploy("serveur.yaml")
        play.apply("client.yaml")
        play.in_background(lambda: play.namespace.wait("pod", "client", "Ready", _POD_TIMEOUT_S))
        with play.recorded():
            play.step("appels sans politique")
            play.until(lambda: _answers(play)[0], _NAME_TIMEOUT_S, "le serveur répond au client")
            _call(play, "Sans politique")
            play.step("politique : rien n’entre dans le serveur")
            play.mark("policy")
            (policy,) = play.apply("tout-refuser.yaml")
            uid = policy["metadata"]["uid"]
            who = "Politique « tout refuser »"
            play.attempt(who, "l’API prend l’objet", True, "acceptée", f"uid {uid}")
            play.pause(settle_s)
            _call(play, who)
        return show.recording()


def _answers(play: Play) -> tuple[bool, str]:
    version, detail = fetch(play.namespace, "client", "http://serveur")
    return version is not None, detail


def _call(play: Play, who: str) -> None:
    """Call some times: blocked means that no call passes."""
    began_s = time.monotonic()
    told = [_answers(play) for _ in range(_CALLS)]
    passed = sum(ok for ok, _ in told)
    detail = f"{passed} appels sur {_CALLS} ont eu leur réponse ({told[-1][1]})"
    play.parameters[f"{who} : durée"] = round(time.monotonic() - began_s, 3)
    play.attempt(
        who, "un pod appelle le serveur", passed > 0, "répond" if passed else "bloqué", detail
    )
