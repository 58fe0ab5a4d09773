"""A figure that says in words what it shows, wherever it is displayed or stored."""

from __future__ import annotations

import base64
import html
import io
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from matplotlib.figure import Figure

from .._errors import RecordingError
from ..recording import Recording, Run
from . import style


class DescribedFigure(Figure):
    """A matplotlib figure with a text alternative.

    JupyterLab's image renderer has no alternative text, its HTML renderer has: outputs carry the image as HTML with
    `alt`, as PNG (with the metadata `alt` that nbconvert reads) and as text.

    Attributes
    ----------
    alternative : str
        What the figure shows, in French sentences.
    """

    alternative: str = ""

    def to_png(self) -> bytes:
        """Return the image, with the alternative as its description."""
        buffer = io.BytesIO()
        self.savefig(
            buffer, format="png", dpi=style.DPI, metadata={"Description": self.alternative}
        )
        return buffer.getvalue()

    def to_html(self) -> str:
        """Return the image as HTML, whole in itself and with its alternative."""
        return self._as_html(self._encoded())

    def _encoded(self) -> str:
        return base64.b64encode(self.to_png()).decode("ascii")

    def _as_html(self, encoded: str) -> str:
        return image_html(encoded, self.alternative)

    def _repr_mimebundle_(
        self, include: Any = None, exclude: Any = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        image = self._encoded()
        bundle = {
            "text/html": self._as_html(image),
            "image/png": image,
            "text/plain": self.alternative,
        }
        return bundle, {"image/png": {"alt": self.alternative}}


def image_html(encoded: str, alternative: str) -> str:
    """Return a PNG in base64 as HTML, whole in itself and with its alternative."""
    alt = html.escape(alternative, quote=True)
    return f'<img alt="{alt}" style="max-width:100%" src="data:image/png;base64,{encoded}">'


def runs_of(recording: Recording, what: str) -> tuple[Run, ...]:
    """Return a recording's runs.

    Parameters
    ----------
    what : str
        What they are to be drawn as, in French: "les sondes".

    Raises
    ------
    RecordingError
        There is none.
    """
    if recording.runs:
        return recording.runs
    again = f"Refaites la mesure : experiments.{recording.experiment}()."
    raise RecordingError(f"Dessiner {what}", "l’enregistrement est vide", again)


LOOK: Any = {"dpi": style.DPI, "facecolor": "white"}
"""Of any new figure."""

_STEPS_S = (5, 10, 20, 60, 120, 600)
"""By which the time axis of a live chart grows: six times at most before the next one."""

_live: ContextVar[Callable[[float, float], DescribedFigure] | None] = ContextVar(
    "live", default=None
)


@contextmanager
def live(give: Callable[[float, float], DescribedFigure]) -> Iterator[None]:
    """Have `new` hand out the figure that `give` returns for a width and a height, for the frames of a live chart."""
    before = _live.set(give)
    try:
        yield
    finally:
        _live.reset(before)


def new(width_in: float, height_in: float) -> DescribedFigure:
    """Return an empty figure that belongs to nobody: no window, no list of open figures."""
    give = _live.get()
    if give is not None:
        return give(width_in, height_in)
    return DescribedFigure(figsize=(width_in, height_in), **LOOK)


def until(end_s: float) -> float:
    """Return where the time axis of a measure ends: with it, or further on while it goes on.

    A live chart whose axis went along with each second would have to be drawn anew each second.
    """
    if _live.get() is None:
        return end_s
    step_s = next(one for one in _STEPS_S if end_s <= 6 * one or one == _STEPS_S[-1])
    return step_s * math.ceil(end_s / step_s)
