"""A figure that says in words what it shows, wherever it is displayed or stored."""

from __future__ import annotations

import base64
import html
import io
from typing import Any

from matplotlib.figure import Figure

from .._errors import RecordingError
from ..measure.recording import Recording, Run
from . import style

LEAST_SHARE = 0.62
"""Of its own width a figure is never made narrower: its words stay readable, and it is moved sideways in its place."""


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

    def to_html(self, height_px: int | None = None) -> str:
        """Return the image as HTML, whole in itself and with its alternative.

        Parameters
        ----------
        height_px : int, optional
            It takes that much of the page, whatever its own height; otherwise what its width leads to.
        """
        if height_px is None:
            return self._as_html(self._encoded())
        image = self._image(self._encoded(), "max-width:100%;max-height:100%")
        return f'<div style="height:{height_px}px">{image}</div>'

    def _encoded(self) -> str:
        return base64.b64encode(self.to_png()).decode("ascii")

    def _as_html(self, encoded: str) -> str:
        least_px = round(LEAST_SHARE * style.DPI * self.get_figwidth())
        image = self._image(encoded, f"max-width:100%;min-width:{least_px}px")
        return f'<span tabindex="0" style="display:block;overflow-x:auto">{image}</span>'

    def _image(self, encoded: str, look: str) -> str:
        alt = html.escape(self.alternative, quote=True)
        return f'<img alt="{alt}" style="{look}" src="data:image/png;base64,{encoded}">'

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
    again = f"Refaites la mesure : labs.{recording.experiment}.measure()."
    raise RecordingError(f"Dessiner {what}", "l’enregistrement est vide", again)


LOOK: Any = {"dpi": style.DPI, "facecolor": "white"}
"""Of any new figure."""


def new(width_in: float, height_in: float) -> DescribedFigure:
    """Return an empty figure that belongs to nobody: no window, no list of open figures."""
    return DescribedFigure(figsize=(width_in, height_in), **LOOK)
