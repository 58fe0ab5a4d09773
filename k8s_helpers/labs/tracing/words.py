"""What the chart of traces says, in French."""

from __future__ import annotations

from collections.abc import Mapping

from ..._french import NO_BREAK, count, number, typeset
from ...measure.recording import Recording, Run
from .codes import Asked, TraceSpan
from .summary import TraceSummary, summarize

TITLES: Mapping[str, str] = {
    Asked.ADD: "Ajouter une note",
    Asked.REPORT: "Demander le bilan",
}
SERVICES: Mapping[str, str] = {"site": "le site", "base": "la base"}
WAITING = "le site attend la base"
DISK = "la base attend son disque"


def milliseconds(seconds: float) -> str:
    """Write a short time."""
    return f"{number(1000 * seconds, 1 if seconds < 0.01 else 0)}{NO_BREAK}ms"


def label(span: TraceSpan) -> str:
    """Return what stands beside a span's bar."""
    if span.kind == "internal":
        return typeset(span.name)
    who = "site → base" if span.kind == "client" else span.service
    return typeset(f"{who} : {span.name}")


def heading(run: Run) -> str:
    """Return where the time of one request went."""
    trace = summarize(run)
    disk = f"dont {milliseconds(trace.disk_s)} de disque"
    return typeset(
        f"{TITLES.get(run.name, run.name)} : {milliseconds(trace.lasts_s)}, {disk}, "
        f"{count(len(trace.calls), 'appel')} à la base{_order(trace)}"
    )


def _order(trace: TraceSummary) -> str:
    if len(trace.calls) < 2:
        return ""
    return ", l’un après l’autre" if trace.one_after_the_other else ", en même temps"


def verdict(recording: Recording) -> str:
    """Say which service takes most of the time."""
    traces = list(map(summarize, recording.runs))
    total_s = sum(trace.lasts_s for trace in traces)
    share = sum(trace.disk_s for trace in traces) / total_s if total_s else 0.0
    if share >= 0.5:
        return typeset(
            f"Ces requêtes passent {number(100 * share, 0)} % de leur temps à attendre le disque de la base"
        )
    return typeset(
        f"Ces requêtes ne passent que {number(100 * share, 0)} % de leur temps sur le disque"
    )


def alternative(recording: Recording) -> str:
    """Return the waterfall in sentences."""
    parts = [f"Traces de {count(len(recording.runs), 'requête')} ({recording.where})."]
    parts.append(f"{verdict(recording)}.")
    for run in recording.runs:
        rows = " ; ".join(
            f"{label(span)}, de {milliseconds(span.start_s)} à {milliseconds(span.end_s)}"
            for span in summarize(run).spans
        )
        parts.append(f"{heading(run)} : {rows}.")
    return typeset(" ".join(parts))
