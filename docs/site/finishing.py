"""What is done to each written page: figures in files of their own, headings and tables as screen readers want them.

`finish` is pure; what it returns can be given to it again.
"""

from __future__ import annotations

import base64
import hashlib
import re
import struct
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sphinx.application import Sphinx

FIGURES = "_figures"
LEAST_SHARE = 0.62
"""Of its own width a figure is never made narrower: its words stay readable, and it is moved sideways."""

_IMAGE = re.compile(
    r'(?:<span tabindex="0" style="display:block;overflow-x:auto">)?'
    r'<img ([^>]*?)src="data:image/png;base64,([^"]+)"([^>]*)>(?:</span>)?'
)
_TEXT_PAGE = re.compile(r'href="((?:\.\./)*[\w./-]+)\.md(#[^"]*)?"')
"""A link of a notebook's output: JupyterLab opens the text, the site has made a page of it."""
_STYLE = re.compile(r'\s*style="[^"]*"')
_PAIRS = (
    # A heading that says no level, and a header without words.
    ('class="caption" role="heading">', 'class="caption" role="heading" aria-level="2">'),
    ('<th class="head"><p></p></th>', "<td></td>"),
    # What the theme's pages say in English beside its catalogue.
    (
        'aria-label="Toggle site navigation sidebar"',
        'aria-label="Montrer ou cacher le plan du cours"',
    ),
    (
        'aria-label="Toggle table of contents sidebar"',
        'aria-label="Montrer ou cacher le plan de la page"',
    ),
    (
        'aria-label="Toggle Light / Dark / Auto color theme"',
        'aria-label="Clair, sombre ou automatique"',
    ),
    ("Toggle Light / Dark / Auto color theme", "Clair, sombre ou automatique"),
    ("Toggle site navigation sidebar", "Plan du cours"),
    ("Toggle table of contents sidebar", "Plan de la page"),
    ("Skip to content", "Aller au contenu"),
    ("<title>Contents</title>", "<title>Sommaire</title>"),
    ("<title>Expand</title>", "<title>Déplier</title>"),
    ("<title>Menu</title>", "<title>Menu</title>"),
    ("<title>Light mode</title>", "<title>Clair</title>"),
    ("<title>Dark mode</title>", "<title>Sombre</title>"),
    ("<title>Auto light/dark, in light mode</title>", "<title>Automatique, clair</title>"),
    ("<title>Auto light/dark, in dark mode</title>", "<title>Automatique, sombre</title>"),
    ('<aside class="sidebar-drawer">', '<aside class="sidebar-drawer" aria-label="Plan du cours">'),
    ('<aside class="toc-drawer">', '<aside class="toc-drawer" aria-label="Plan de la page">'),
)


def finish(page: str, to_root: str, figures: Path) -> str:
    """Return a page with what its theme and its notebooks leave to be desired put right.

    Parameters
    ----------
    page : str
        HTML.
    to_root : str
        How the page's links lead to the site's root: "" or "../", as often as it is deep.
    figures : Path
        The folder where images are written, named by what they hold.
    """

    def as_file(found: re.Match[str]) -> str:
        data = base64.b64decode(found[2])
        name = f"{hashlib.sha256(data).hexdigest()[:16]}.png"
        (figures / name).write_bytes(data)
        width, height = struct.unpack(">II", data[16:24])
        link = f"{to_root}{FIGURES}/{name}"
        kept = _STYLE.sub("", f"{found[1]}{found[3]}").strip()
        least = round(LEAST_SHARE * width)
        return (
            f'<a class="figure" href="{link}" title="Voir la figure en grand">'
            f'<img {kept} style="min-width:{least}px" width="{width}" height="{height}" loading="lazy" '
            f'src="{link}"></a>'
        )

    page = _IMAGE.sub(as_file, page)
    page = _TEXT_PAGE.sub(lambda found: f'href="{found[1]}.html{found[2] or ""}"', page)
    for before, after in _PAIRS:
        page = page.replace(before, after)
    return page


def _finish_all(app: Sphinx, error: Exception | None) -> None:
    if error is not None or app.builder.name != "html":
        return
    root = Path(app.outdir)
    figures = root / FIGURES
    figures.mkdir(exist_ok=True)
    for path in root.rglob("*.html"):
        depth = len(path.relative_to(root).parts) - 1
        text = path.read_text("utf-8")
        finished = finish(text, "../" * depth, figures)
        if finished != text:
            path.write_text(finished, "utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.connect("build-finished", _finish_all)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
