"""Recordings of one run made by hand, and what a drawing of boxes shows."""

from __future__ import annotations

from typing import Any

from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from k8s_helpers.measure.recording import Mark, Recording, Run


def made(
    name: str, marks: tuple[Mark, ...] = (), provider: str = "kind", **found: Any
) -> Recording:
    run = Run(name, "2026-01-01T10:00:00+00:00", 5.0, found, marks=marks)
    return Recording(name, provider, "v1.37.0", (run,))


def boxes(chart: Any) -> dict[str, FancyBboxPatch]:
    return {
        patch.get_label().replace("\u00a0", " "): patch
        for patch in chart.axes[0].patches
        if isinstance(patch, FancyBboxPatch)
    }


def arrows(chart: Any) -> list[str]:
    return [
        patch.get_label() for patch in chart.axes[0].patches if isinstance(patch, FancyArrowPatch)
    ]
