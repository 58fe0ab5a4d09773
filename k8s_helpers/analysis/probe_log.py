"""What the slow program's log and the kubelet's Events tell of the probes, put together. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..forecasts.probe_spec import Probe, ProbeKind
from ..measure.objects import Clock
from ..measure.recording import ClusterEvent, ProbeResult

_SAME_S = 1.5
"""An Event that comes within this of a logged failure of the same probe tells of the same check."""
_RESOLUTION_S = 1.0
_MOST_CHARS = 240
"""Of the kubelet's words: the reason stands at their end, after an address."""


def lines(text: str) -> Iterator[dict[str, Any]]:
    """Yield the lines of a log that are the program's own: JSON objects with `event` and `at`."""
    for line in text.splitlines():
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if (
            isinstance(event, dict)
            and "event" in event
            and isinstance(event.get("at"), int | float)
        ):
            yield event


def answered(
    lives: Iterable[str], pod: str, probes: Mapping[ProbeKind, Probe], clock: Clock
) -> Iterator[ProbeResult]:
    """Yield the probes that the program answered, life by life of its container.

    Where the startup probe asks at the same path as another one, it is who asks until its first success, and nobody
    else is; from then on it is silent.
    """
    paths = {kind: probe.action.get("httpGet", {}).get("path") for kind, probe in probes.items()}
    for life in lives:
        started = "startup" not in probes
        for line in lines(life):
            if line["event"] != "probe":
                continue
            ok = 200 <= int(line["status"]) < 400
            asking = [
                kind
                for kind, path in paths.items()
                if path == line["path"] and (kind == "startup") != started
            ]
            for kind in asking[:1]:
                at_s = clock.from_wall(line["at"])
                yield ProbeResult(at_s, pod, kind, ok, "log", str(line["status"]))
                started = started or (kind == "startup" and ok)


def refused(events: Iterable[ClusterEvent], known: Iterable[ProbeResult]) -> Iterator[ProbeResult]:
    """Yield the failures that only the kubelet knows of: nobody listened, or answered in time."""
    logged = [result for result in known if not result.ok]
    for event in events:
        kind, _, rest = event.message.partition(" probe failed: ")
        if event.reason != "Unhealthy" or not rest:
            continue
        probe, detail = kind.lower(), rest[:_MOST_CHARS]
        if not any(
            result.probe == probe and abs(result.at_s - event.at_s) < _SAME_S for result in logged
        ):
            yield ProbeResult(event.at_s, event.name, probe, False, "event", detail)


def first(lives: Iterable[str], event: str, clock: Clock) -> float | None:
    """Return when the program first logged an event, on the run's clock."""
    instants = (line["at"] for life in lives for line in lines(life) if line["event"] == event)
    at_s = min(instants, default=None)
    return None if at_s is None else clock.from_wall(at_s)


def container_start(
    stamp_s: float | None, seen_s: float | None, starting_s: float | None
) -> float | None:
    """Return when a container started, from three clues of which each bounds it.

    Parameters
    ----------
    stamp_s : float or None
        What the API says, which is cut to the whole second: it started in the second that follows.
    seen_s, starting_s : float or None
        When the API was seen to say it, and when the program wrote its first line: both come after it.
    """
    after = [at_s for at_s in (seen_s, starting_s) if at_s is not None]
    if stamp_s is not None:
        after.append(stamp_s + _RESOLUTION_S)
    if not after:
        return None
    return min(after) if stamp_s is None else max(min(after), stamp_s)
