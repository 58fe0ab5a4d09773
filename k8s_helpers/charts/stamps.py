"""A canvas that draws each word and each hatch once, and afterwards copies its picture.

Letters and hatches are most of what a chart costs: matplotlib lays out and fills every letter, and every dot of a
hatch, each time that it draws. A live chart shows the same ones over and over.
"""

from __future__ import annotations

import math
import re
from typing import Any, NamedTuple

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg, RendererAgg
from matplotlib.path import Path
from matplotlib.transforms import IdentityTransform, TransformedPath

_WORDS = re.compile(r"[^ \u00a0\u202f]*[ \u00a0\u202f]|[^ \u00a0\u202f]+")
"""A word with the space after it. Where a number changes, the words around it do not."""
_MOST_KEPT = 500
"""Numbers that change make new words all the time: the kept ones are thrown away when there are so many."""
_EDGE_PX = 4


class _Stamp(NamedTuple):
    """A picture, as rows of RGBA from the bottom up, and where its lower left corner is from the text's own place."""

    pixels: np.ndarray[Any, Any]
    left_px: int
    below_px: int


class StampCanvas(FigureCanvasAgg):
    """The canvas of a figure that keeps its size: one renderer for all that is drawn on it."""

    def get_renderer(self) -> RendererAgg:
        """Return the one renderer, made at the first call."""
        if not isinstance(getattr(self, "renderer", None), _StampRenderer):
            width_px, height_px = self.get_width_height(physical=True)
            self.renderer: RendererAgg = _StampRenderer(width_px, height_px, self.figure.dpi)
        return self.renderer


class _StampRenderer(RendererAgg):
    """Draws as matplotlib does, except that texts stand on whole pixels."""

    def __init__(self, width_px: float, height_px: float, dpi: float) -> None:
        super().__init__(width_px, height_px, dpi)
        self._texts: dict[tuple[Any, ...], _Stamp | None] = {}
        self._sizes: dict[tuple[Any, ...], tuple[float, float, float]] = {}
        self._hatches: dict[tuple[Any, ...], np.ndarray[Any, Any]] = {}

    def draw_text(
        self,
        gc: Any,
        x: float,
        y: float,
        s: str,
        prop: Any,
        angle: float,
        ismath: Any = False,
        mtext: Any = None,
    ) -> None:
        """Copy the pictures of a text's words to their places (`y` goes down from the top)."""
        for word in [s] if angle or ismath else _WORDS.findall(s):
            key = (word, hash(prop), angle, gc.get_rgb())
            if key not in self._texts:
                _make_room(self._texts)
                self._texts[key] = self._text(gc, word, prop, angle, ismath, mtext)
            stamp = self._texts[key]
            if stamp is not None:
                bottom = int(self.height) - round(y)
                self.draw_image(gc, round(x) + stamp.left_px, bottom + stamp.below_px, stamp.pixels)
            x += self._size(word, prop, ismath)[0]

    def _text(
        self, gc: Any, s: str, prop: Any, angle: float, ismath: Any, mtext: Any
    ) -> _Stamp | None:
        """Draw a text on a sheet of its own, and cut out what there is; None for nothing but spaces."""
        width_px, height_px, _ = self.get_text_width_height_descent(s, prop, ismath)
        above = left = math.ceil(max(width_px, height_px)) + _EDGE_PX
        if not angle:
            above, left = math.ceil(height_px) + _EDGE_PX, _EDGE_PX
        sheet = RendererAgg(left + math.ceil(width_px) + _EDGE_PX, 2 * above, self.dpi)
        ink = sheet.new_gc()
        ink.set_foreground(gc.get_rgb(), isRGBA=True)
        sheet.draw_text(ink, left, above, s, prop, angle, ismath, mtext)
        pixels = np.asarray(sheet.buffer_rgba())[::-1]
        rows, columns = (np.flatnonzero(pixels[..., 3].any(axis=axis)) for axis in (1, 0))
        if not rows.size:
            return None
        cut = pixels[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        return _Stamp(np.ascontiguousarray(cut), int(columns[0]) - left, int(rows[0]) - above)

    def get_text_width_height_descent(
        self, s: str, prop: Any, ismath: Any
    ) -> tuple[float, float, float]:
        """Return a text's size in pixels, which is that of its words in a row."""
        sizes = [self._size(word, prop, ismath) for word in ([s] if ismath else _WORDS.findall(s))]
        descent = max(below for _, _, below in sizes)
        height = max(high - below for _, high, below in sizes) + descent
        return sum(wide for wide, _, _ in sizes), height, descent

    def _size(self, word: str, prop: Any, ismath: Any) -> tuple[float, float, float]:
        key = (word, hash(prop))
        if key not in self._sizes:
            _make_room(self._sizes)
            self._sizes[key] = super().get_text_width_height_descent(word, prop, ismath)
        return self._sizes[key]

    def draw_path(self, gc: Any, path: Any, transform: Any, rgbFace: Any = None) -> None:  # noqa: N803
        """Draw a shape, and its hatch as a piece cut out of a sheet that is hatched all over."""
        if not gc.get_hatch():
            super().draw_path(gc, path, transform, rgbFace)
            return
        bare = self.new_gc()
        bare.copy_properties(gc)
        bare.set_hatch(None)
        super().draw_path(bare, path, transform, rgbFace)
        box = path.get_extents(transform)
        left, below = max(0, math.floor(box.x0)), max(0, math.floor(box.y0))
        piece = self._hatch(gc)[below : math.ceil(box.y1), left : math.ceil(box.x1)]
        if piece.size:
            bare.set_clip_path(TransformedPath(path, transform))
            self.draw_image(bare, left, below, np.ascontiguousarray(piece))
        bare.restore()

    def _hatch(self, gc: Any) -> np.ndarray[Any, Any]:
        """Return a sheet of the figure's size with nothing but a hatch."""
        key = (gc.get_hatch(), gc.get_hatch_color(), gc.get_hatch_linewidth())
        if key not in self._hatches:
            sheet = RendererAgg(self.width, self.height, self.dpi)
            ink = sheet.new_gc()
            ink.set_linewidth(0)
            ink.set_hatch(gc.get_hatch())
            ink.set_hatch_color(gc.get_hatch_color())
            ink.set_hatch_linewidth(gc.get_hatch_linewidth())
            corners = [(0, 0), (self.width, 0), (self.width, self.height), (0, self.height), (0, 0)]
            sheet.draw_path(ink, Path(corners), IdentityTransform())
            self._hatches[key] = np.ascontiguousarray(np.asarray(sheet.buffer_rgba())[::-1])
        return self._hatches[key]


def _make_room(kept: dict[Any, Any]) -> None:
    if len(kept) >= _MOST_KEPT:
        kept.clear()
