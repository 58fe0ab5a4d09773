"""A figure that one function draws again and again: what stands still is kept, what moves is drawn anew.

The course's charts draw a whole figure from a whole recording, which costs several hundred milliseconds. Here the same
functions draw the frames of a live chart for a fraction of that. Kept from one frame to the next are the axes
(`figure.new` hands out the same figure, its axes emptied), the picture of all that stands still (axes and legends; what
matplotlib calls blitting), and the pictures of letters and hatches (`stamps`).
"""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.gridspec import SubplotSpec
from matplotlib.legend import Legend

from . import figure
from .stamps import StampCanvas


@dataclass(frozen=True)
class Frame:
    """One picture of a live chart, with what it shows in words."""

    png: bytes
    alternative: str

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        encoded = base64.b64encode(self.png).decode("ascii")
        return {
            "text/html": figure.image_html(encoded, self.alternative),
            "text/plain": self.alternative,
        }


class LiveChart:
    """Draws the frames of one chart.

    Examples
    --------
    >>> chart = LiveChart()
    >>> first = chart.frame(lambda: charts.draw(recording_so_far))
    >>> second = chart.frame(lambda: charts.draw(recording_so_far))
    """

    def __init__(self) -> None:
        self._kept: LiveFigure | None = None

    def frame(self, draw: Callable[[], figure.DescribedFigure]) -> Frame:
        """Return the picture of the figure that `draw` makes by `figure.new`."""
        with figure.live(self._take):
            drawn = draw()
            if isinstance(drawn, LiveFigure) and not drawn.as_before:
                # Another run has its axes now: none of them need have the part that it had.
                self._kept = None
                drawn = draw()
        png = drawn.picture() if isinstance(drawn, LiveFigure) else drawn.to_png()
        return Frame(png, drawn.alternative)

    def _take(self, width_in: float, height_in: float) -> LiveFigure:
        kept = self._kept
        if kept is None or tuple(kept.get_size_inches()) != (width_in, height_in):
            kept = LiveFigure(figsize=(width_in, height_in), **figure.LOOK)
        else:
            kept.empty()
        self._kept = kept
        return kept


class LiveFigure(figure.DescribedFigure):
    """A figure whose axes stay when it is emptied: who asks for axes gets those of before, in the same order.

    Attributes
    ----------
    as_before : bool
        Whether as many axes were asked for as the time before.
    """

    def __init__(self, **look: Any) -> None:
        super().__init__(**look)
        self._sheet: Any = StampCanvas(self)
        self._free: list[Axes] = []
        self._new = False
        self._first = True
        self._still: object = None
        self._ground: Any = None

    @property
    def as_before(self) -> bool:
        """Whether as many axes were asked for as the time before; true of the first time."""
        return self._first or not (self._free or self._new)

    def empty(self) -> None:
        """Take away all that was drawn, except for the axes themselves."""
        self._first = self._new = False
        self._free = list(self.axes)
        for artist in (*self.legends, *_on(self)):
            artist.remove()
        for ax in self._free:
            for artist in _on(ax):
                artist.remove()
            if (legend := ax.get_legend()) is not None:
                legend.remove()
            ax.containers.clear()
            ax.relim()

    def add_subplot(self, *args: Any, **kwargs: Any) -> Axes:
        """Give axes at a place of a grid: those of before, or new ones."""
        if self._free and isinstance(args[0], SubplotSpec):
            ax = self._free.pop(0)
            ax.set_subplotspec(args[0])
            return ax
        self._new = True
        made: Axes = super().add_subplot(*args, **kwargs)
        return made

    def add_axes(self, *args: Any, **kwargs: Any) -> Axes:
        """Give axes at a place in shares of the figure: those of before, or new ones."""
        if self._free and isinstance(args[0], tuple):
            ax = self._free.pop(0)
            ax.set_position(args[0])
            return ax
        self._new = True
        return super().add_axes(*args, **kwargs)

    def picture(self) -> bytes:
        """Draw what moves on the ground of what stands still, itself drawn anew only where it has changed."""
        parts: tuple[Axes | figure.DescribedFigure, ...] = (*self.axes, self)
        moving = [one for part in parts for one in sorted(_on(part), key=_height)]
        still = self._standing()
        if still != self._still:
            for artist in moving:
                artist.set_animated(True)
            self._sheet.draw()
            self._still, self._ground = still, self._sheet.copy_from_bbox(self.bbox)
        else:
            self._sheet.restore_region(self._ground)
        for artist in moving:
            self.draw_artist(artist)
        return _png(np.asarray(self._sheet.buffer_rgba()))

    def _standing(self) -> object:
        """Return what the ground depends on; within one chart, entries of one name look the same in any legend."""
        return (
            [
                (
                    ax.get_position().bounds,
                    ax.get_xlim(),
                    ax.get_ylim(),
                    [ax.get_title(loc) for loc in ("left", "center", "right")],
                    [_ticks(axis) for axis in (ax.xaxis, ax.yaxis)],
                    _entries(ax.get_legend()),
                )
                for ax in self.axes
            ],
            [_entries(legend) for legend in self.legends],
        )


def _on(part: Axes | figure.DescribedFigure) -> Iterator[Artist]:
    """Yield what a chart has put on axes, or on a figure beside them."""
    yield from (*part.patches, *part.lines, *part.texts, *part.images, *part.artists)
    if isinstance(part, Axes):
        yield from tuple(part.collections)


def _height(artist: Artist) -> float:
    return float(artist.get_zorder())


def _ticks(axis: Any) -> tuple[str, list[float], list[str]]:
    """Return an axis' label, and its ticks where they are given one by one."""
    places, names = axis.get_major_locator(), axis.get_major_formatter()
    return axis.get_label_text(), list(getattr(places, "locs", ())), list(getattr(names, "seq", ()))


def _entries(legend: Legend | None) -> list[str]:
    return [] if legend is None else [text.get_text() for text in legend.get_texts()]


def _png(pixels: np.ndarray[Any, Any]) -> bytes:
    """Return RGBA pixels as a PNG without transparency.

    https://www.w3.org/TR/png-3/: each row is written as its difference to the row above (filter 2), which is zero
    nearly everywhere in a chart; Pillow tries all five filters on each row, which takes three times as long.
    """
    height, width, _ = pixels.shape
    colours = np.empty((height, width, 3), np.uint8)
    for channel in range(3):
        # One at a time, which numpy does seven times as fast as all at once.
        colours[..., channel] = pixels[..., channel]
    flat = colours.reshape(height, 3 * width)
    rows = np.empty((height, 1 + 3 * width), np.uint8)
    rows[:, 0] = 2
    rows[0, 1:] = flat[0]
    np.subtract(flat[1:], flat[:-1], out=rows[1:, 1:])
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = zlib.compress(rows.data, 1)
    parts = ((b"IHDR", head), (b"IDAT", body), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in parts
    )
