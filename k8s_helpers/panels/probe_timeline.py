"""The panel of slide 4.08: the numbers of three probes and of a program, and what the kubelet will make of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import ipywidgets as widgets

from .._french import NO_BREAK, number
from ..forecasts.probe_spec import KINDS, Answers, Probe, ProbeKind, container_of, probes_of
from ..forecasts.probe_ticks import ProbeCourse, simulate
from ..forecasts.probes import Forecast, forecast
from ..forecasts.span import Span
from . import panel
from . import probe_chart as chart

LISTENS_S = 3.0
"""When a program that opens its port early does so: a server is up long before its own start is over."""

SLIDE_PROBES: Mapping[ProbeKind, Probe] = {
    "readiness": Probe("readiness", initial_delay_s=5, period_s=10),
    "liveness": Probe("liveness", initial_delay_s=10, period_s=15),
}
"""The numbers of slide 4.08."""

_LIVE, _READY = "/live", "/ready"
_PATHS: Mapping[ProbeKind, str] = {"startup": _LIVE, "readiness": _READY, "liveness": _LIVE}
_FIELDS: Mapping[str, tuple[str, int, int]] = {
    "initial_delay_s": ("initialDelaySeconds", 0, 120),
    "period_s": ("periodSeconds", 1, 60),
    "timeout_s": ("timeoutSeconds", 1, 20),
    "failures": ("failureThreshold", 1, 60),
    "successes": ("successThreshold", 1, 10),
}
"""By the probe's attribute: what the manifest calls it, and the ends of its slider."""
_BREATH_S = 8.0


@dataclass(frozen=True)
class Timeline:
    """What a panel's settings lead to.

    Attributes
    ----------
    course : ProbeCourse
        With the ticks as they fall here.
    foreseen : Forecast
        However the ticks fall.
    answers : Answers
        Of the program.
    good_s : float
        From when it serves its clients well.
    """

    course: ProbeCourse
    foreseen: Forecast
    answers: Answers
    good_s: float

    @property
    def too_soon_s(self) -> float:
        """For how long clients are sent to a pod that cannot serve them yet."""
        return 0.0 if self.course.ready_s is None else max(0.0, self.good_s - self.course.ready_s)


def timeline(
    probes: Mapping[ProbeKind, Probe],
    good_s: float,
    *,
    early: bool = True,
    takes_s: float = 0.0,
    since_s: float = 1.0,
) -> Timeline:
    """Return what becomes of a container: its course with these ticks, its forecast with any.

    Parameters
    ----------
    probes : mapping
        What it is asked; only their numbers count.
    good_s : float
        From when the program can serve, in seconds after the start of the container.
    early : bool
        Whether its port opens after `LISTENS_S` and liveness is answered from then; otherwise all comes at `good_s`.
    takes_s : float
        How long each of its answers takes.
    since_s : float
        How long the pod had been on its node when the container started: where the ticks fall.
    """
    listens_s = min(LISTENS_S, good_s) if early else good_s
    answers = Answers(
        Span(listens_s, listens_s),
        {_LIVE: Span(listens_s, listens_s), _READY: Span(good_s, good_s)},
        takes_s=takes_s,
    )
    horizon_s = _horizon_s(probes, good_s)
    foreseen = forecast({"spec": {"containers": [_container(probes)]}}, answers, horizon_s)
    ends = [good_s, *(span.hi_s for span in (foreseen.ready, foreseen.kill) if span is not None)]
    until_s = max(ends) + _BREATH_S
    course = simulate(probes_of(_container(probes)), answers, since_s, until_s)
    return Timeline(course, foreseen, answers, good_s)


def _horizon_s(probes: Mapping[ProbeKind, Probe], good_s: float) -> float:
    """Return after how long a first life has certainly come to whatever these numbers lead to."""
    return good_s + sum(
        probe.initial_delay_s
        + (probe.failures + probe.successes + 1) * max(probe.period_s, probe.timeout_s)
        for probe in probes.values()
    )


def _container(probes: Mapping[ProbeKind, Probe]) -> dict[str, Any]:
    """Return a container with these probes, as its manifest would have it."""
    written: dict[str, Any] = {"name": "programme"}
    for kind, probe in probes.items():
        written[f"{kind}Probe"] = {
            "httpGet": {"path": _PATHS[kind], "port": 8080},
            **{field: getattr(probe, name) for name, (field, *_) in _FIELDS.items()},
        }
    return written


def probe_timeline(
    manifest: str | Mapping[str, Any] | None = None, starts_s: float = 60.0, early: bool = True
) -> panel.Panel:
    """Return the settings of three probes with each tick they lead to, Ready, and the first kill.

    Parameters
    ----------
    manifest : str or mapping, optional
        A Pod or a workload whose probes are the first settings; otherwise those of slide 4.08.
    starts_s : float
        What the program takes before it can serve, 0 to 180 s.
    early : bool
        Whether its port opens long before that.

    Raises
    ------
    UsageError
        A manifest without container.
    """
    first = SLIDE_PROBES if manifest is None else probes_of(container_of(manifest))
    controls: dict[str, widgets.ValueWidget] = {
        "starts_s": panel.integer("Sait répondre après (s)", round(starts_s), 0, 180),
        "early": panel.yes(f"Port ouvert tôt (à {number(LISTENS_S)}{NO_BREAK}s)", early),
        "takes_s": panel.decimal("Durée d’une réponse (s)", 0.0, 0.0, 10.0, 0.5),
        "since_s": panel.integer("Battements partis depuis (s)", 1, 1, 30),
    }
    groups = {"Le programme": tuple(controls)}
    numbers: dict[str, tuple[str, ...]] = {}
    for kind in KINDS:
        own = _controls(kind, first.get(kind))
        controls |= own
        groups[f"Sonde {kind}"] = tuple(own)
        numbers[kind] = tuple(name for name in own if name != kind)
    return panel.Panel("Que feront ces sondes ?", controls, render, groups, numbers)


def _controls(kind: ProbeKind, probe: Probe | None) -> dict[str, widgets.ValueWidget]:
    """Return the settings of one probe; the API wants one success of all but readiness."""
    first = probe or Probe(kind)
    controls: dict[str, widgets.ValueWidget] = {
        kind: panel.yes(f"avec une {kind}", probe is not None)
    }
    for name, (field, low, high) in _FIELDS.items():
        if name != "successes" or kind == "readiness":
            value = round(getattr(first, name))
            controls[f"{kind}_{name}"] = panel.integer(
                f"{field} ({kind})", value, low, max(high, value)
            )
    return controls


def render(starts_s: float, early: bool, takes_s: float, since_s: float, **settings: float) -> str:
    """Return what follows from the settings as HTML: one sentence, the forecast, the drawing."""
    probes = {kind: _probe(kind, settings) for kind in KINDS if settings[kind]}
    outcome = timeline(probes, starts_s, early=early, takes_s=takes_s, since_s=since_s)
    rows = "".join(f"<li>{row}</li>" for row in outcome.foreseen.rows)
    drawing = chart.probe_timeline(
        outcome.course, outcome.foreseen, outcome.answers, outcome.good_s
    )
    return (
        f"<p><strong>{sentence(outcome)}</strong></p>"
        f"<p>Où que tombent les battements :</p><ul>{rows}</ul>{drawing.to_html()}"
    )


def _probe(kind: ProbeKind, settings: Mapping[str, float]) -> Probe:
    own = {name: settings.get(f"{kind}_{name}", 1) for name in _FIELDS}
    return Probe(
        kind,
        initial_delay_s=own["initial_delay_s"],
        period_s=own["period_s"],
        timeout_s=own["timeout_s"],
        failures=int(own["failures"]),
        successes=int(own["successes"]),
    )


def sentence(outcome: Timeline) -> str:
    """Tell in one French sentence what the settings lead to."""
    course = outcome.course
    if course.killed_s is not None:
        killed = f"tué par sa {course.killer} à {_at(course.killed_s)}"
        if course.ready_s is not None:
            return f"Ready à {_at(course.ready_s)}, puis {killed} : ses clients le perdent, et cela recommence."
        if course.killed_s <= outcome.good_s:
            return (
                f"{killed.capitalize()}, alors qu’il lui fallait {_at(outcome.good_s)} : il recommence du début, "
                "et sera tué encore."
            )
        return f"{killed.capitalize()}, sans avoir jamais été Ready."
    if course.ready_s is None:
        return "Ni Ready ni tué : le pod reste là, et ne reçoit jamais de client."
    if outcome.too_soon_s > 0:
        return (
            f"Ready à {_at(course.ready_s)}, trop tôt : pendant {_at(outcome.too_soon_s)}, le Service envoie des "
            "clients à un programme qui ne sait pas encore leur répondre."
        )
    late_s = course.ready_s - outcome.good_s
    return f"Ready à {_at(course.ready_s)}, soit {_at(late_s)} après avoir su répondre."


def _at(value_s: float) -> str:
    return f"{number(round(value_s, 1))}{NO_BREAK}s"
