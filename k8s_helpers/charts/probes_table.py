"""Probes as tables: what manifests let foresee, and what was measured beside it."""

from __future__ import annotations

import math
from collections.abc import Mapping

from .._french import NO_BREAK, number
from ..forecasts.probes import Forecast
from ..forecasts.span import Span
from ..recording import Recording
from ..timeline.probes import ProbesSummary, probes_summary
from . import probe_words
from .table import Table


def probes_forecast(forecasts: Mapping[str, Forecast]) -> Table:
    """Return when each variant must become Ready and be killed.

    Parameters
    ----------
    forecasts : mapping of str to Forecast
        By variant.
    """
    rows = tuple(
        (
            probe_words.title(name),
            _span(found.ready),
            f"{'peut-être ' if found.kill and not found.certain else ''}{_span(found.kill)}",
        )
        for name, found in forecasts.items()
    )
    caption = "Ce que le manifeste laisse prévoir, en secondes après le démarrage du conteneur"
    return Table(caption, ("variante", "Ready", "premier arrêt"), rows)


def probes_table(recording: Recording) -> Table:
    """Return each variant's instants of Ready and of the first kill, foreseen and measured, and what clients lost.

    Parameters
    ----------
    recording : Recording
        Of the experiment "probes".
    """
    header = (
        "variante",
        "Ready prévu",
        "mesuré",
        "premier arrêt prévu",
        "mesuré",
        "relances",
        "requêtes perdues",
    )
    rows = tuple(_row(probes_summary(run)) for run in recording.runs)
    return Table("Prévu d’après le manifeste, et mesuré", header, rows)


def _row(found: ProbesSummary) -> tuple[str, ...]:
    return (
        probe_words.title(found.variant),
        _span(found.predicted_ready),
        _instant(found.ready_s),
        _span(found.predicted_kill),
        _instant(found.kill_s),
        number(found.restarts),
        number(found.failed),
    )


def _span(span: Span | None) -> str:
    return "jamais" if span is None or math.isinf(span.lo_s) else span.words()


def _instant(at_s: float | None) -> str:
    return "jamais" if at_s is None else f"{number(max(0.0, round(at_s, 1)))}{NO_BREAK}s"
