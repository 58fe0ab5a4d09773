"""How hard French prose is to read: its sentences, and the reading ease of Kandel and Moles.

The formula is Flesch's, refitted for French: Kandel and Moles, « Application de l'indice de Flesch à la langue
française », Cahiers d'études de radio-télévision 19, 1958. From 0 (hardest) to 100 (easiest): 60 to 70 is ordinary
prose, a newspaper has about 50, a law about 30.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import mistune

_SOURCES = re.compile(r"\*\(sources?\s[^\n]*")
_END = re.compile(r"(?<=[.!?…])[»\s)]*\s+")
_WORD = re.compile(r"[^\W_]+(?:[’'\-.,/][^\W_]+)*")
_VOWELS = re.compile(r"[aeiouyàâäéèêëîïôöùûüœæ]+")
_HIATUS = re.compile(r"é(?=[aoui])|[aeou](?=ï|ë|ü)|(?<=[bcdfgpt][lr])i(?=[aeo])")
_SILENT = re.compile(r"(?<=[^aeiouyéèê])(?:e|es)$|(?<=[iué])(?:e|es)$")
CODE = "code"
"""What stands for a command or a name in `code`: a word of its sentence, without syllables of its own."""


def paragraphs(markdown: str) -> Iterator[str]:
    """Yield the prose of a Markdown text: paragraphs and items of lists; no headings, tables, code or sources."""
    for token in _tokens()(_SOURCES.sub("", markdown)):
        yield from _prose(token)


@cache
def _tokens() -> mistune.Markdown:
    return mistune.create_markdown(renderer=None, plugins=["table"])


def _prose(token: Any) -> Iterator[str]:
    if token["type"] in ("paragraph", "block_text"):
        yield "".join(map(_inline, token["children"]))
    elif token["type"] in ("list", "list_item", "block_quote"):
        for child in token["children"]:
            yield from _prose(child)


def _inline(token: Any) -> str:
    if token["type"] == "codespan":
        return CODE
    if token["type"] in ("softbreak", "linebreak"):
        return " "
    if "children" in token:
        return "".join(map(_inline, token["children"]))
    return str(token["raw"]) if token["type"] == "text" else ""


def sentences(paragraph: str) -> list[str]:
    """Return a paragraph's sentences: to a full stop, a question or exclamation mark, or the paragraph's end."""
    return [text for text in _END.split(paragraph.strip()) if words(text)]


def words(text: str) -> list[str]:
    """Return the words of a text; one with an elision (« l'image ») or a hyphen is one, as on paper."""
    return _WORD.findall(text)


def syllables(word: str) -> int:
    """Count a word's syllables as they are said, without the silent e: « programmes » has two."""
    low = word.lower()
    if word.isupper() and word.isalpha():
        return len(word)  # spelt: API
    groups = len(_VOWELS.findall(low)) + len(_HIATUS.findall(low))
    return max(groups - bool(_SILENT.search(low) and low[-2:] not in ("ée",)), 1)


def reading_ease(texts: list[str]) -> float:
    """Return the ease of Kandel and Moles of some sentences, the higher the easier."""
    counted = [word for text in texts for word in words(text)]
    spoken = [word for word in counted if word != CODE]
    per_sentence = len(counted) / len(texts)
    per_word = sum(map(syllables, spoken)) / len(spoken)
    return 207 - 1.015 * per_sentence - 73.6 * per_word
