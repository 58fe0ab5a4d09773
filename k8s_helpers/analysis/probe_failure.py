"""What follows once the probes of a pod fail: it leaves its Service, its container is killed, it is back."""

from __future__ import annotations

from dataclasses import dataclass

from ..measure.recording import ClusterEvent, Run
from .pods import first_after, in_service, instants


@dataclass(frozen=True, slots=True)
class Consequences:
    """What became of a pod, in seconds after its probe broke; None for never.

    Attributes
    ----------
    unready_s, left_s, kill_s, back_s : float or None
        When it was not Ready any more, left the ready addresses of its Service, had its container killed, and was among
        those addresses again.
    killing_s : float or None
        When the kubelet said that it kills the container: its Event may come a little after the death.
    restarts : int
        Of its container.
    """

    unready_s: float | None
    left_s: float | None
    kill_s: float | None
    back_s: float | None
    killing_s: float | None
    restarts: int


def consequences(run: Run, service: str, pod: str, broken_s: float) -> Consequences:
    """Return what became of a pod whose probe broke at an instant."""
    stretches = in_service(run, service).get(pod, ())
    left_s = first_after((stretch.end_s for stretch in stretches), broken_s)
    if left_s is not None and left_s >= run.ended_s:
        left_s = None
    starts = (stretch.start_s for stretch in stretches)
    back_s = None if left_s is None else first_after(starts, left_s)
    killing = [event.at_s for event in reported(run, "Killing", pod)]
    kills = [*killing, *instants(run, "died", pod)]

    def since(at_s: float | None) -> float | None:
        return None if at_s is None else at_s - broken_s

    return Consequences(
        since(first_after(instants(run, "unready", pod), broken_s)),
        since(left_s),
        since(first_after(kills, broken_s)),
        since(back_s),
        since(first_after(killing, broken_s)),
        len(instants(run, "restarted", pod)),
    )


def reported(run: Run, reason: str, name: str) -> list[ClusterEvent]:
    """Return the Kubernetes Events of a reason about an object of that name."""
    return [event for event in run.events if (event.reason, event.name) == (reason, name)]
