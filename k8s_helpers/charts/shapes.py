"""Bars and stairs as bare shapes: they look as those of `Axes.barh` and `Axes.stairs`, and cost a tenth.

Matplotlib reckons the axes' limits anew at each shape; here whoever draws has given the axes their limits.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle, StepPatch


def bar(ax: Axes, middle: float, start: float, end: float, height: float, **look: Any) -> Rectangle:
    """Draw a lying bar from `start` to `end` on the horizontal axis."""
    if "color" in look:
        look["facecolor"] = look.pop("color")
    box = Rectangle((start, middle - height / 2), end - start, height, **look)
    ax.add_artist(box)
    return box


def stairs(
    ax: Axes, edges: Sequence[float], low: Sequence[float], high: Sequence[float], **look: Any
) -> StepPatch:
    """Fill the stretch between two values of each step; there is one edge more than steps."""
    look = {"baseline": low, "fill": True, "linewidth": 0, **look}
    steps = StepPatch(high, edges, **look)
    ax.add_artist(steps)
    return steps
