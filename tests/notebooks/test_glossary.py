"""The glossary and the sheets to print: each word is explained where they say, and nothing in them is written twice."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "docs" / "site"))

import glossary  # noqa: E402
import recaps  # noqa: E402

NOTEBOOKS = sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))


@pytest.mark.parametrize("word", glossary.words(), ids=lambda word: word.french)
def test_a_word_is_explained_in_a_section_of_its_notebook(word: glossary.Word) -> None:
    section = glossary.section_of(word)
    assert glossary.plain(word.sign) in glossary.plain(section.text)
    assert len(word.sentence) < 90 and not word.sentence.endswith(".")


def test_the_page_is_what_make_docs_writes() -> None:
    assert glossary.PAGE.read_text("utf-8") == glossary.page()


def test_a_word_that_no_section_explains_is_an_error() -> None:
    with pytest.raises(LookupError, match="licorne"):
        glossary.section_of(glossary.Word("licorne", "unicorn", "un animal", "03", "licorne"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_sheet_has_what_its_notebook_says_to_keep_in_mind(path: Path) -> None:
    made = recaps.recap(path)
    assert made.title and made.kept.startswith(("1.", "-"))
    assert len(made.commands) <= recaps.MOST_COMMANDS
    assert all(command.startswith("kubectl ") and "{" not in command for command in made.commands)
