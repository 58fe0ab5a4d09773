"""The page that lists the deck's slides in order, each with a link to the section that tells it.

The list is read from the notebooks: a section's heading cell carries `{"slide": "4.07"}` in its metadata.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import cells
from myst_parser.slugs import github_slugify

if TYPE_CHECKING:
    from sphinx.application import Sphinx

PAGE = "docs/site/diapositives"
_LINK_TO_FOLDER = re.compile(r"\[([^\]]+)\]\((?!https?:)[^)\s]+/\)")


class Section(NamedTuple):
    """The place where a slide is told."""

    slide: str
    title: str
    notebook: str
    """Name of the notebook, without folder and suffix."""


def sections(folder: Path) -> list[Section]:
    """Return the sections of all notebooks of a folder, in the slides' order."""
    found = []
    for path in cells.notebooks(folder):
        for cell in cells.read(path):
            if cell.slide:
                heading = cell.source.splitlines()[0]
                found.append(Section(cell.slide, heading.lstrip("#").strip(), path.stem))
    return sorted(found)


def table(found: list[Section]) -> str:
    """Return the Markdown table of the page on slides."""
    rows = [
        f"| {slide} | [{title}](../../notebooks/{notebook}.ipynb#{github_slugify(title)}) | {notebook[:2]} |"
        for slide, title, notebook in found
    ]
    return "\n".join(["| diapositive | section | notebook |", "|---|---|---|", *rows, ""])


def _fill(app: Sphinx, name: str, content: list[str]) -> None:
    # A folder can be looked into in the repository only: here its name stays, without the link.
    content[0] = _LINK_TO_FOLDER.sub(r"\1", content[0])
    if name == PAGE:
        content[0] += table(sections(cells.NOTEBOOKS))


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.connect("source-read", _fill)
    return {"parallel_read_safe": True}
