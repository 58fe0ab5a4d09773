"""A trace, by hand: the header `traceparent` comes in, one span a piece of work is written, the header goes out.

Header: https://www.w3.org/TR/trace-context/ ("00-<trace>-<parent>-<flags>", in hexadecimal). The fields of a span have
OpenTelemetry's names (https://opentelemetry.io/docs/specs/otel/trace/api/#span). Whoever calls decides: without the
header, or without its flag "sampled", nothing is written.
"""

import contextlib
import os
import re
import time
from contextvars import ContextVar

HEADER = "traceparent"
SAMPLED = 0x01
_FORM = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})"
)
_current = ContextVar("current", default=None)


def read(value: str | None) -> tuple | None:
    """Return (trace, parent) of a header that asks for spans; None for any other."""
    match = _FORM.match(value or "")
    return (match[1], match[2]) if match and int(match[3], 16) & SAMPLED else None


def headers() -> dict:
    """Return what a call must carry so that the next service goes on with the same trace."""
    now = _current.get()
    return {} if now is None else {HEADER: f"00-{now[0]}-{now[1]}-01"}


@contextlib.contextmanager
def remote(value: str | None):
    """Go on with the trace that a caller's header names."""
    token = _current.set(read(value))
    try:
        yield
    finally:
        _current.reset(token)


@contextlib.contextmanager
def span(log, name: str, kind: str = "internal"):
    """Write a span around a piece of work; what is done in it becomes its children."""
    parent = _current.get()
    if parent is None:
        yield
        return
    mine = parent[0], os.urandom(8).hex()
    token, start_ns = _current.set(mine), time.time_ns()
    status = "error"
    try:
        yield
        status = "ok"
    finally:
        _current.reset(token)
        log(
            "info",
            "span",
            trace_id=mine[0],
            span_id=mine[1],
            parent_span_id=parent[1],
            name=name,
            kind=kind,
            start_time_unix_nano=start_ns,
            end_time_unix_nano=time.time_ns(),
            status=status,
        )
