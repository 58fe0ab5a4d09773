"""A chart that follows a measure: one image, replaced in place under the cell, gone at the end."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from .. import _progress

if TYPE_CHECKING:
    from ..measure.measure import Listener
    from ..measure.recording import Recording
    from .lab import Lab

MIN_PERIOD_S = 1.0
HEIGHT_PX = 430
"""What a live figure takes of the page from its first drawing on: it stays in sight, and nothing below it moves."""
REST = 9
"""Between two drawings passes at least that many times what one took: a tenth of one processor, whatever the machine is
busy with, so that drawing takes nothing away from what is measured."""


@contextmanager
def listener(lab: Lab | None) -> Iterator[Listener | None]:
    """Give what draws a lab's chart while its measure goes on; None where outputs may not change.

    Parameters
    ----------
    lab : Lab, optional
        Whose chart; none where nothing is to be drawn.
    """
    if lab is None or not _progress.charts_follow():
        yield None
        return
    chart = LiveChart(lab, rehearsal=_progress.rehearsing())
    try:
        yield chart
    finally:
        chart.clear()


class LiveChart:
    """Listens to a measure and shows its figure so far under one `display_id`.

    Matplotlib is imported with the first drawing. To be called from the main thread.

    Parameters
    ----------
    lab : Lab
        Whose figure is drawn.
    rehearsal : bool
        Draw and show nothing; a drawing that fails then raises.
    """

    def __init__(self, lab: Lab, *, rehearsal: bool = False) -> None:
        self._lab = lab
        self._rehearsal = rehearsal
        self._on = True
        self._due_s = float("-inf")
        self._handle: Any = None

    def __call__(self, recording: Callable[[], Recording]) -> None:
        """Draw the recording so far, unless the last figure is too young (`MIN_PERIOD_S`, `REST`)."""
        began_s = time.monotonic()
        if not self._on or began_s < self._due_s:
            return
        try:
            page = self._lab.draw(recording()).to_html(HEIGHT_PX)
            if not self._rehearsal:
                self._show(page)
        except Exception:
            if self._rehearsal:
                raise
            # A measure is not lost for a picture of its middle: the cell's last one will tell.
            logging.getLogger(__name__).info("no live chart any more", exc_info=True)
            self._on = False
        ended_s = time.monotonic()
        self._due_s = max(began_s + MIN_PERIOD_S, ended_s + REST * (ended_s - began_s))

    def _show(self, page: str) -> None:
        from IPython.display import HTML, display

        if self._handle is None:
            self._handle = display(HTML(page), display_id=True)
        else:
            self._handle.update(HTML(page))

    def clear(self) -> None:
        """Take the image away: the cell's result replaces it."""
        if self._handle is not None:
            from IPython.display import HTML

            self._handle.update(HTML(""))
            self._handle = None
