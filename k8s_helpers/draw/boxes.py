"""Boxes and arrows: what the course's drawings (not charts) are made of. Coordinates are those of the axes."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from . import figure, style


def canvas(
    width_in: float, height_in: float, width: float, height: float
) -> tuple[figure.DescribedFigure, Axes]:
    """Return a figure with one empty pair of axes, 0 at the top left, `width` by `height` units."""
    chart = figure.new(width_in, height_in)
    ax = chart.add_axes((0.01, 0.01, 0.98, 0.98))
    ax.set_xlim(0, width)
    ax.set_ylim(height, 0)
    ax.set_axis_off()
    return chart, ax


def box(
    ax: Axes,
    place: tuple[float, float, float, float],
    text: str = "",
    *,
    colour: str = style.BLUE,
    fill: str | None = None,
    dashed: bool = False,
    title: bool = False,
    size: float = 10.0,
) -> None:
    """Draw a rounded box at (left, top, width, height): its text in the middle, a title at the top left."""
    left, top, width, height = place
    ax.add_patch(
        FancyBboxPatch(
            (left, top),
            width,
            height,
            boxstyle="round,pad=0,rounding_size=0.12",
            facecolor=fill or style.lighter(colour, 0.88),
            edgecolor=colour,
            linewidth=1.5,
            linestyle="--" if dashed else "-",
            label=text,
        )
    )
    look: dict[str, Any] = {"fontsize": size, "color": style.INK, "linespacing": 1.35}
    if title:
        ax.text(left + 0.12, top + 0.1, text, va="top", fontweight="bold", **look)
    else:
        ax.text(left + width / 2, top + height / 2, text, ha="center", va="center", **look)


def arrow(
    ax: Axes,
    begin: tuple[float, float],
    end: tuple[float, float],
    text: str = "",
    *,
    colour: str = style.INK,
    dashed: bool = False,
    size: float = 9.0,
) -> None:
    """Draw an arrow, with its text above the middle."""
    ax.add_patch(
        FancyArrowPatch(
            begin,
            end,
            arrowstyle="-|>",
            mutation_scale=12,
            color=colour,
            linewidth=1.1 if dashed else 1.5,
            linestyle="--" if dashed else "-",
            shrinkA=0,
            shrinkB=0,
            label=text,
        )
    )
    if text:
        middle = (begin[0] + end[0]) / 2, (begin[1] + end[1]) / 2
        ax.annotate(
            text,
            middle,
            xytext=(0, 3),
            textcoords="offset points",
            ha="center",
            va="bottom",
            fontsize=size,
            color=style.INK,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8},
        )
