"""`python docs/site/glossary.py` writes docs/glossaire.md: each word, its English, the section that explains it.

The section is looked up in the notebook that `glossaire.yaml` names: the first whose heading has the word, otherwise
the first whose text has it. Sections without a subject of their own are left out.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import cells
import yaml

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PAGE = ROOT / "docs" / "glossaire.md"
_GENERIC = re.compile(
    "Prédire|Mesurer|Expliquer|À vous|À retenir|Ranger|Et avec kubectl|Ce qu.il faut"
)
"""Titles that name no subject."""
_HEAD = """\
# Glossaire français – anglais

Les mots du cours, leur nom anglais (celui de la documentation et des messages d’erreur), et la section qui les fait
voir. Cette page est écrite par `make docs` depuis `docs/site/glossaire.yaml`.

| français | anglais | en une phrase | où |
|---|---|---|---|
"""


class Word(NamedTuple):
    """An entry; `sign` is what must be read in its section."""

    french: str
    english: str
    sentence: str
    notebook: str
    sign: str


class Section(NamedTuple):
    """A part of a notebook from its heading to the next one."""

    title: str
    text: str
    level: int = 0


def words() -> list[Word]:
    """Return the entries, in the order of the alphabet."""
    entries = yaml.safe_load((HERE / "glossaire.yaml").read_text("utf-8"))
    made = [
        Word(french, *rest[:3], str(rest[3]) if len(rest) > 3 else french)
        for french, rest in entries.items()
    ]
    return sorted(made, key=lambda word: plain(word.french))


def plain(text: str) -> str:
    """Return a text as words are compared and sorted: small letters, no accents."""
    pairs = str.maketrans("àâäçéèêëîïôöùûü", "aaaceeeeiioouuu")
    return text.lower().replace("œ", "oe").replace("\u00a0", " ").translate(pairs)


def notebook(number: str) -> Path:
    """Return the notebook of a number."""
    (path,) = cells.NOTEBOOKS.glob(f"{number}_*.ipynb")
    return path


def sections(path: Path) -> Iterator[Section]:
    """Yield a notebook's sections, code and outputs apart."""
    title, level, lines = "", 0, list[str]()
    for cell in cells.read(path):
        if cell.kind != "markdown":
            lines.append(cell.source)
            continue
        for line in cell.source.splitlines():
            if heading := re.match(r"(#{1,3}) (.*)", line):
                yield Section(title, "\n".join(lines), level)
                title, level, lines = heading[2].strip(), len(heading[1]), [line]
            else:
                lines.append(line)
    yield Section(title, "\n".join(lines), level)


def section_of(word: Word) -> Section:
    """Return where a word is explained.

    Raises
    ------
    LookupError
        Its notebook does not have it.
    """
    sign = re.compile(rf"(?<!\w){re.escape(plain(word.sign))}")
    having = [
        part
        for part in sections(notebook(word.notebook))
        if part.title and not _GENERIC.match(part.title) and sign.search(plain(part.text))
    ]
    if not having:
        raise LookupError(f"{word.french} : « {word.sign} » n’est pas dans {word.notebook}")
    return min(having, key=lambda part: (part.level == 1, not sign.search(plain(part.title))))


def page() -> str:
    """Return the glossary as Markdown."""
    from myst_parser.slugs import github_slugify

    rows = []
    for word in words():
        section, path = section_of(word), notebook(word.notebook)
        link = f"../notebooks/{path.name}#{github_slugify(section.title)}"
        rows.append(
            f"| {word.french} | {word.english} | {word.sentence} | [{word.notebook} · {section.title}]({link}) |"
        )
    return _HEAD + "\n".join(rows) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
    sys.stdout.write(f"{PAGE}\n")
