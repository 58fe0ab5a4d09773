"""What a rolling update of a slow program will do to clients, from its Deployment and its start alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...forecasts.probe_spec import AT_ONCE, container_of, probes_of
from ...forecasts.probes import RELIST_S
from ...forecasts.rollout import band
from ...forecasts.rollout import forecast as roll_out
from ...forecasts.span import Span

_POD_S = 3.0
"""From the creation of a pod to the start of its container, at most: one or two seconds on a real node."""


@dataclass(frozen=True)
class SlowUpdate:
    """What must happen.

    Attributes
    ----------
    duration : Span
        From `kubectl apply` until `kubectl rollout status` says that it is done, in seconds.
    errors : Span
        How long clients get errors, from the first lost request to the last one.
    """

    duration: Span
    errors: Span


def forecast(deployment: Mapping[str, Any], start: Span) -> SlowUpdate:
    """Return how long an update takes and how long clients get errors.

    A Deployment stops an old pod once a new one is Ready. With a readiness probe that is when it answers; without, it
    is when its container runs: the whole start of the program is left to clients, and the update is over before.

    Parameters
    ----------
    deployment : mapping
        With its `strategy`.
    start : Span
        What the program takes from the start of its container until it answers.
    """
    readiness = probes_of(container_of(deployment)).get("readiness")
    rolling = band(deployment)
    waves = roll_out(
        deployment["spec"]["replicas"], rolling["max_surge"], rolling["max_unavailable"]
    ).waves
    ready = Span(0.0, RELIST_S)
    if readiness is not None:
        ready = start.then(Span(0.0, readiness.period_s + readiness.timeout_s))
    duration = Span(waves * ready.lo_s, waves * (ready.hi_s + _POD_S))
    errors = AT_ONCE
    if readiness is None:
        # The first request may be lost a little after the first new pod is there, the last one just before the last
        # new pod answers, which was created once the others were taken for ready.
        errors = Span(max(start.lo_s - 2 * RELIST_S, 0.0), start.hi_s + duration.hi_s)
    return SlowUpdate(duration, errors)
