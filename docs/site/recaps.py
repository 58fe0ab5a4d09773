"""One page to print for each notebook: what it says to keep in mind, its kubectl commands, its words in English.

All of it is read from the notebooks and from the glossary; the pages stand alone and are as long as a sheet of A4.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import cells
from glossary import words
from markdown_it import MarkdownIt

if TYPE_CHECKING:
    from sphinx.application import Sphinx

FOLDER = "fiches"
MOST_COMMANDS = 18
"""What a sheet has room for, in two columns."""

_KEPT = "À retenir"
_COMMAND = re.compile(r"^\s*!?(kubectl .+)$", re.MULTILINE)
_NAMESPACE = re.compile(r" (?:-n|--namespace)[ =]\{[^}]*\}")
_REST = re.compile(r"\s+(?:\||2?>).*$")
"""What a notebook adds to a command to shorten what it says."""
_STYLE = """
@page { size: A4; margin: 14mm 15mm; }
body { font: 10.5pt/1.4 "DejaVu Sans", "Segoe UI", sans-serif; max-width: 180mm; margin: 1em auto; padding: 0 1em; }
h1 { font-size: 16pt; margin: 0 0 .2em; } h2 { font-size: 11.5pt; margin: .8em 0 .3em; border-bottom: 1px solid #999; }
p, li { margin: .15em 0; } ol, ul { padding-left: 1.4em; margin: .2em 0; }
code { font-family: "DejaVu Sans Mono", monospace; font-size: .88em; }
.commands { columns: 2; column-gap: 8mm; list-style: none; padding: 0; }
.commands li { break-inside: avoid; padding: .1em 0 .1em 1.2em; text-indent: -1.2em; overflow-wrap: anywhere; }
.words { columns: 2; column-gap: 8mm; padding: 0; list-style: none; } .words li { break-inside: avoid; }
nav { font-size: 9pt; } article + article { break-before: page; }
@media (max-width: 600px) { .commands, .words { columns: 1; } }
@media print { nav { display: none; } body { margin: 0; padding: 0; max-width: none; } }
"""


class Recap(NamedTuple):
    """What a sheet says of a notebook."""

    number: str
    title: str
    kept: str
    """Markdown."""
    commands: tuple[str, ...]


def recap(path: Path) -> Recap:
    """Read a notebook's sheet."""
    title, section = "", ""
    kept, commands = list[str](), dict[str, str]()
    for cell in cells.read(path):
        if cell.kind == "code":
            for command in _commands(cell.source):
                # The first of its kind: what follows differs by a name.
                commands.setdefault(" ".join(command.split()[1:3]), command)
            continue
        for line in cell.source.splitlines():
            if heading := re.match(r"(#+) (.*)", line):
                section = heading[2].strip()
                title = title or section
            elif section == _KEPT:
                kept.append(line)
    return Recap(
        path.stem[:2], title, "\n".join(kept).strip(), tuple(commands.values())[:MOST_COMMANDS]
    )


def _commands(source: str) -> Iterator[str]:
    for found in _COMMAND.finditer(source):
        command = _REST.sub("", _NAMESPACE.sub("", found[1])).strip()
        if "{" not in command and len(command) < 90:
            yield command


def sheet(made: Recap) -> str:
    """Return a sheet as HTML."""
    english = "".join(
        f"<li>{html.escape(word.french)} : <em lang='en'>{html.escape(word.english)}</em></li>"
        for word in words()
        if word.notebook == made.number
    )
    commands = "".join(f"<li><code>{html.escape(command)}</code></li>" for command in made.commands)
    parts = [f"<h1>{made.number} · {html.escape(made.title)}</h1>"]
    parts.append(f"<h2>{_KEPT}</h2>{MarkdownIt().render(made.kept)}")
    if commands:
        parts.append(f"<h2>Les commandes</h2><ul class='commands'>{commands}</ul>")
    if english:
        parts.append(f"<h2>Les mots, en anglais</h2><ul class='words'>{english}</ul>")
    return f"<article>{''.join(parts)}</article>"


def write(folder: Path) -> None:
    """Write a page for each notebook, and one with all of them."""
    folder.mkdir(parents=True, exist_ok=True)
    made = {path.stem: recap(path) for path in cells.notebooks()}
    for name, one in made.items():
        links = f"<a href='index.html'>Toutes les fiches</a> · <a href='../notebooks/{name}.html'>Le notebook</a>"
        _write(folder / f"{name}.html", f"Fiche {one.number} : {one.title}", links, sheet(one))
    links = "<a href='../docs/site/index.html'>Le cours</a> · " + " · ".join(
        f"<a href='{name}.html'>{one.number}</a>" for name, one in made.items()
    )
    _write(folder / "index.html", "Les fiches du cours", links, "".join(map(sheet, made.values())))


def _write(path: Path, title: str, links: str, body: str) -> None:
    path.write_text(
        f'<!doctype html><html lang="fr"><head><meta charset="utf-8"><title>{html.escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head>'
        f"<body><nav>{links}</nav><main>{body}</main></body></html>",
        "utf-8",
    )


def _write_all(app: Sphinx, error: Exception | None) -> None:
    if error is None and app.builder.name == "html":
        write(Path(app.outdir) / FOLDER)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.connect("build-finished", _write_all)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
