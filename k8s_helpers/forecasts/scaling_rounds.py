"""What an autoscaler decides, look after look, with a load that stays a while and then changes. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass

from .._errors import UsageError
from .autoscaling import Decision, decide, desired_replicas
from .scaling_rules import DEFAULT_SYNC_PERIOD_S, Advice, Autoscaler, Change

LOADED_ROUNDS = 4
"""How many looks the first load lasts."""
MOST_ROUNDS = 60


@dataclass(frozen=True, slots=True)
class Stretch:
    """Looks in a row that decide the same, for the same reason.

    Attributes
    ----------
    first_s, last_s : float
        When the first and the last of them take place.
    decision : Decision
        Of the first.
    """

    first_s: float
    last_s: float
    decision: Decision


def rounds(
    replicas: int,
    percent: int,
    scaler: Autoscaler,
    later_percent: int = 100,
    sync_period_s: float = DEFAULT_SYNC_PERIOD_S,
) -> tuple[Decision, ...]:
    """Return each look of an autoscaler until nothing changes any more.

    The pods start at once, and the load is shared evenly: what matters here is the reckoning.

    Parameters
    ----------
    replicas : int
        Pods at first; so many were asked for until now.
    percent : int
        What each of them uses at first, in percent of its request.
    scaler : Autoscaler
        Target, bounds, tolerance, windows.
    later_percent : int
        Load from the look `LOADED_ROUNDS` on, in percent of the first load.
    sync_period_s : float
        From one look to the next.

    Raises
    ------
    UsageError
        No pod, or a load below zero.
    """
    if replicas < 1 or percent < 0 or later_percent < 0:
        raise UsageError(
            "Dérouler les décisions d’un autoscaler",
            f"{replicas} réplicas, {percent} % de mesure, {later_percent} % de la charge ensuite",
            "Donnez au moins un réplica, et des pourcentages qui ne sont pas négatifs.",
        )
    advice = [Advice(-sync_period_s, replicas)]
    changes: list[Change] = []
    made: list[Decision] = []
    current = replicas
    while len(made) < MOST_ROUNDS and not _settled(made, scaler, sync_period_s):
        at_s = len(made) * sync_period_s
        share = 100 if len(made) < LOADED_ROUNDS else later_percent
        seen = math.floor(replicas * percent * share / 100 / current)
        asked = desired_replicas(current, seen, scaler.target_percent, scaler.tolerance)
        one = decide(scaler, at_s, current, asked, seen, advice, changes)
        made.append(one)
        advice.append(Advice(at_s, asked))
        if one.desired != current:
            changes.append(Change(at_s, one.desired - current))
        current = one.desired
    return tuple(_trimmed(made))


def _trimmed(made: list[Decision]) -> list[Decision]:
    """Leave the last looks out, which change nothing any more, but for a few."""
    last = max((index for index, one in enumerate(made) if one.desired != one.current), default=0)
    return made[: max(last, LOADED_ROUNDS) + 5]


def _settled(made: list[Decision], scaler: Autoscaler, sync_period_s: float) -> bool:
    """Return whether the windows have forgotten all that was asked for before the present state."""
    memory_s = [15.0]
    for rules in (scaler.up, scaler.down):
        memory_s += [rules.window_s, *(policy.period_s for policy in rules.policies)]
    quiet = math.ceil(max(memory_s) / sync_period_s) + 1
    last = made[LOADED_ROUNDS:][-quiet:]
    return len(last) == quiet and len({(one.current, one.asked, one.desired) for one in last}) == 1


def stretches(made: tuple[Decision, ...]) -> tuple[Stretch, ...]:
    """Put looks in a row that say the same into one."""
    found: list[Stretch] = []
    for one in made:
        same = found and (found[-1].decision.words, found[-1].decision.desired) == (
            one.words,
            one.desired,
        )
        if same:
            found[-1] = Stretch(found[-1].first_s, one.at_s, found[-1].decision)
        else:
            found.append(Stretch(one.at_s, one.at_s, one))
    return tuple(found)
