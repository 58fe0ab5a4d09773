"""What a rolling update of a slow program will do to clients, from its Deployment and its start alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .._french import NO_BREAK, count
from .probe_spec import AT_ONCE, container_of, probes_of
from .probes import RELIST_S
from .rollout import band
from .rollout import forecast as roll_out
from .span import Span

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
    rows : tuple of str
        All of it, in French sentences.
    """

    duration: Span
    errors: Span
    rows: tuple[str, ...]


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
    return SlowUpdate(duration, errors, tuple(_sentences(waves, duration, errors)))


def _sentences(waves: int, duration: Span, errors: Span) -> Iterator[str]:
    colon = f"{NO_BREAK}:"
    yield f"Mise à jour en {count(waves, 'vague')}, finie {duration.words()}."
    if errors == AT_ONCE:
        yield f"Aucune erreur{colon} un ancien pod ne part que lorsqu’un nouveau répond."
    else:
        yield f"Erreurs pendant {errors.lo_s:g} à {errors.hi_s:g}{NO_BREAK}s{colon} le démarrage est pour les clients."
