"""A chart that follows a measure: one image, replaced in place under the cell, gone at the end."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable
from typing import Self

from .. import _progress
from .figure import DescribedFigure
from .live_figure import Frame, LiveChart

REHEARSAL = "K8S_HELPERS_LIVE_REHEARSAL"
"""Set to 1 for tests: what a student would see while a measure goes on is drawn, shown nowhere, and may not fail."""

MIN_PERIOD_S = 1.0
REST = 9
"""Between two drawings passes at least that many times what one took: a tenth of one processor, whatever the machine is
busy with, so that drawing takes nothing away from what is measured."""


class Live:
    """One image under one `display_id`.

    Draws nothing where outputs may not change (`K8S_HELPERS_LIVE=0`, CI) or outside a notebook: the figure that the
    cell ends with is then the only one. To be called from the main thread.
    """

    def __init__(self) -> None:
        self._handle = None
        self._rehearsal = os.environ.get(REHEARSAL) == "1"
        self._on = self._rehearsal or (_progress.live_display() and _progress.in_notebook())
        self._due_s = float("-inf")
        self._chart = LiveChart()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self.clear()

    def show(self, draw: Callable[[], DescribedFigure]) -> None:
        """Replace the image by what `draw` returns, unless the last one is too young (`MIN_PERIOD_S`, `REST`)."""
        began_s = time.monotonic()
        if not self._on or began_s < self._due_s:
            return
        try:
            self._show(self._chart.frame(draw))
        except Exception:
            if self._rehearsal:
                raise
            # A measure is not lost for a picture of its middle: the cell's last one will tell.
            logging.getLogger(__name__).info("no live chart any more", exc_info=True)
            self._on = False
        ended_s = time.monotonic()
        self._due_s = max(began_s + MIN_PERIOD_S, ended_s + REST * (ended_s - began_s))

    def _show(self, frame: Frame) -> None:
        if self._rehearsal:
            return
        from IPython.display import display

        if self._handle is None:
            self._handle = display(frame, display_id=True)
        else:
            self._handle.update(frame)

    def clear(self) -> None:
        """Take the image away: the cell's result replaces it."""
        if self._handle is not None:
            from IPython.display import HTML

            self._handle.update(HTML(""))
            self._handle = None
