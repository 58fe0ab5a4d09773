"""Colours, hatches, sizes and numbers: one look for all charts of the course.

Colours are those of Okabe and Ito, which colour-blind readers tell apart (https://jfly.uni-koeln.de/color/); what
matters most is told by hatches and words too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ..measure.recording import Run

BLUE = "#0072B2"
GREEN = "#009E73"
PURPLE = "#AA4499"
VERMILION = "#D55E00"
GREY = "#6B7280"
LIGHT = "#E5E7EB"
INK = "#111827"
TEXT = "#374151"
LOST = VERMILION
"""Of lost requests, and of the words that count them."""
LOST_TEXT = "#B34700"
"""`LOST` for words: 4.8 to 1 on `OUTAGE`, 5.5 to 1 on white, where `LOST` itself has 3.9 (WCAG wants 4.5)."""
OUTAGE = "#FBEEE6"
"""`LOST`, nearly white: behind a time without any answer."""

HEAD: Any = {"fontsize": 12.5, "fontweight": "bold", "color": INK}
BELOW: Any = {"fontsize": 10.5, "color": TEXT}
"""Of the verdict above a figure, and of the line below it."""

VERSION_COLOURS = (BLUE, GREEN, PURPLE)
"""Of the first, second and third version that a figure shows."""

LOST_HATCH = "////"
STARTING_HATCH = "....."

DPI = 100
WIDTH_IN = 15.0
HEIGHT_IN = 7.2

RC: Any = {
    "font.family": ["DejaVu Sans"],
    "font.size": 10,
    "axes.titlesize": 13,
    "axes.labelsize": 10,
    "axes.labelcolor": INK,
    "axes.edgecolor": "#9CA3AF",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": TEXT,
    "ytick.color": TEXT,
    "xtick.labelsize": 9.5,
    "ytick.labelsize": 9.5,
    "hatch.linewidth": 1.2,
    "legend.frameon": False,
    "legend.fontsize": 10.5,
}
"""What `matplotlib.rc_context` gets around each chart; the reader's own settings stay as they are."""


def version_colour(version: str) -> str:
    """Return a version's colour: "v1" has the first in every chart; grey where the program does not say."""
    digits = re.search(r"\d+$", version)
    return VERSION_COLOURS[(int(digits[0]) - 1) % len(VERSION_COLOURS)] if digits else GREY


def stand_in_badge(chart: Figure, runs: Iterable[Run], top: float = 0.985) -> None:
    """Say on the right that a program in Python stands in for Java, where it does; `top` is a share of the height."""
    if any(run.parameters.get("stand_in") for run in runs):
        chart.text(
            0.985,
            top,
            "DOUBLURE\nPython au lieu de Java",
            ha="right",
            va="top",
            fontsize=10,
            fontweight="bold",
            color="white",
            bbox={"facecolor": PURPLE, "edgecolor": "none", "pad": 5},
        )


def lighter(colour: str, share: float = 0.7) -> str:
    """Mix a colour with white."""
    parts = [int(colour[index : index + 2], 16) for index in (1, 3, 5)]
    return "#" + "".join(f"{round(part + (255 - part) * share):02X}" for part in parts)


def ink_on(colour: str) -> str:
    """Return what is read better on a colour, white or ink (contrast ratio of WCAG 2.2, success criterion 1.4.3)."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    luminance = sum(
        share * part for share, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True)
    )
    return "white" if 1.05 / (luminance + 0.05) >= 4.5 else INK
