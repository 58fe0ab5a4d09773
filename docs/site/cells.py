"""The notebooks as the site's pages read them: cells with their sources, outputs apart."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import NamedTuple

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


class Cell(NamedTuple):
    """A cell; `slide` is the number that its metadata carries, "" without."""

    kind: str
    source: str
    slide: str


@cache
def read(path: Path) -> tuple[Cell, ...]:
    """Return a notebook's cells. A notebook is read once: most of its file is figures."""
    return tuple(
        Cell(cell["cell_type"], "".join(cell["source"]), cell["metadata"].get("slide", ""))
        for cell in json.loads(path.read_text("utf-8"))["cells"]
    )


def notebooks(folder: Path = NOTEBOOKS) -> list[Path]:
    """Return the course's notebooks in their order."""
    return sorted(folder.glob("[0-9]*.ipynb"))
