"""Runs made by hand whose marks hold facts."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from k8s_helpers.measure.recording import Mark, Run


def run(name: str, *marks: tuple[float, str, Any], **parameters: Any) -> Run:
    """Return a run with these marks: each at an instant, of a kind, with a detail or with a dataclass of facts."""
    return Run(
        name=name,
        started_at="2026-01-01T10:00:00+00:00",
        ended_s=20.0,
        parameters=parameters,
        marks=tuple(
            Mark(at_s, kind, noted)
            if isinstance(noted, str)
            else Mark(at_s, kind, "", asdict(noted))
            for at_s, kind, noted in marks
        ),
    )
