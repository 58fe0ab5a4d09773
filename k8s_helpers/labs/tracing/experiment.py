"""Requests followed through two services: the spans that each program writes, put together by their trace."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from ..._checks import bounds
from ..._interruption import stoppable
from ..._progress import Progress
from ...cluster import Cluster, ServiceAddress
from ...kube.http import request
from ...measure.lane import Change, Lane
from ...measure.measure import Measure
from ...measure.recording import Recording
from .codes import SPAN, Asked, TraceSpan
from .lab import LAB

REQUESTS: Mapping[Asked, tuple[str, str, bytes | None]] = {
    Asked.ADD: ("POST", "/notes", b'{"text": "une note"}'),
    Asked.REPORT: ("GET", "/bilan", None),
}
_LOGGED_TIMEOUT_S = 20.0


@stoppable
def measure(
    *, cluster: Cluster | None = None, disk_ms: int = 60, progress: Progress | None = None
) -> Recording:
    """Send requests that carry a `traceparent` through the site and its database, and gather the spans they leave.

    Parameters
    ----------
    cluster
        Otherwise the one that `connect` returned.
    disk_ms : int
        What each access to the database's disk lasts more, 0 to 500.
    progress
        Otherwise what fits here (notebook, terminal, log).

    Raises
    ------
    UsageError
        A number out of its bounds.
    WaitTimeoutError
        The programs do not answer, or their spans do not come.

    Source: https://www.w3.org/TR/trace-context/
    """
    bounds("Suivre une requête", (disk_ms, 0, 500, "ms"))
    with LAB.open(cluster, progress, app="carnet", live=False) as measure:
        with measure.lane("traces", "Traces") as lane:
            lane.deploy("traces.yaml", change=_slow_disk(disk_ms))
            address = lane.ready_address("carnet")
            for asked in REQUESTS:
                _follow(measure, lane, address, asked, disk_ms)
        return measure.recording()


def _slow_disk(disk_ms: int) -> Change:
    def change(plain: dict[str, Any]) -> None:
        for container in plain["spec"].get("template", {}).get("spec", {}).get("containers", ()):
            for variable in container.get("env", ()):
                if variable["name"] == "DISK_MS":
                    variable["value"] = str(disk_ms)

    return change


def _follow(
    measure: Measure, before: Lane, address: ServiceAddress, asked: Asked, disk_ms: int
) -> None:
    """Send one request, and note the spans of its trace."""
    trace, caller = secrets.token_hex(16), secrets.token_hex(8)
    namespace = before.namespace
    with measure.lane(asked, "Trace", {"disk_ms": disk_ms}, namespace=namespace) as lane:
        method, path, body = REQUESTS[asked]
        lane.step(f"{method} {path}")
        with lane.recorded():
            headers = {"traceparent": f"00-{trace}-{caller}-01"}
            request(method, address, path, body=body, headers=headers).require()
            spans: list[TraceSpan] = []

            def whole() -> bool:
                spans[:] = _spans(lane, trace)
                return is_whole(spans, caller)

            lane.until(whole, _LOGGED_TIMEOUT_S, "tous les morceaux de la trace dans les journaux")
            for span in spans:
                lane.note(SPAN, span)


def _spans(lane: Lane, trace: str) -> list[TraceSpan]:
    """Return the spans of a trace from the logs of all pods, the earliest first."""
    texts = [lane.namespace.logs(pod["metadata"]["name"]) for pod in lane.pods("app=carnet")]
    lines = [json.loads(line) for text in texts for line in text.splitlines()]
    return in_order([line for line in lines if line.get("trace_id") == trace])


def in_order(lines: Sequence[Mapping[str, Any]]) -> list[TraceSpan]:
    """Return the spans that lines of logs tell, the earliest first, counted from its start."""
    zero_ns = min((line["start_time_unix_nano"] for line in lines), default=0)
    spans = [
        TraceSpan(
            line["role"],
            line["name"],
            line["kind"],
            line["span_id"],
            line["parent_span_id"],
            (line["start_time_unix_nano"] - zero_ns) / 1e9,
            (line["end_time_unix_nano"] - zero_ns) / 1e9,
        )
        for line in lines
    ]
    return sorted(spans, key=lambda span: (span.start_s, -span.end_s))


def is_whole(spans: Sequence[TraceSpan], caller: str) -> bool:
    """Return whether a trace has the request's own span, and every span's parent is in it."""
    known = {span.span_id for span in spans}
    parents = {span.parent_span_id for span in spans}
    clients = {span.span_id for span in spans if span.kind == "client"}
    return caller in parents and parents <= known | {caller} and clients <= parents
