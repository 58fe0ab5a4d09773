"""The documents of a YAML or JSON text, as kubectl finds them.

kubectl cuts a text at the lines that begin with `---` before any of it is parsed, and takes a text that begins with a
brace for JSON as long as it can. Two things that it does silently are refused here: a field given twice (it takes the
later), and what stands after the end of a document (it drops it).

Source: https://github.com/kubernetes/apimachinery/blob/v0.37.0/pkg/util/yaml/decoder.go
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from ._yaml_loader import Loader
from ._yaml_values import json_number, value_of

_SEPARATOR = "---"


@dataclass(frozen=True)
class Document:
    """One document.

    Attributes
    ----------
    value : object
        As JSON: None for an empty document.
    node : yaml.Node or None
        Its tree, whose marks count from the beginning of the whole text; None for an empty document, and for JSON
        that is no YAML.
    """

    value: Any
    node: yaml.Node | None


def documents(text: str) -> Iterator[Document]:
    """Yield the documents of a text in their order.

    Raises
    ------
    yaml.YAMLError
        It cannot be read as kubectl does: PyYAML's errors, or `ValueFault`; `_yaml_faults` explains them.
    """
    begin = 0
    if text.lstrip().startswith("{"):
        for document, end in _json_documents(text):
            yield document
            begin = end
    yield from _yaml_documents(text, begin)


def tree(text: str) -> yaml.Node | None:
    """Return the tree of the first document; None where it is empty. Raises as `documents`."""
    return next((_compose(padded) for padded in _chunks(text, 0)), None)


def _json_documents(text: str) -> Iterator[tuple[Document, int]]:
    """Yield JSON objects and where each ends, up to the first that is none: the rest is YAML."""
    decoder = json.JSONDecoder(
        object_pairs_hook=_once,
        parse_int=lambda digits: json_number(int(digits), _NOWHERE),
        parse_float=lambda digits: json_number(float(digits), _NOWHERE),
        parse_constant=_no_json,
    )
    begin = 0
    while text[begin:].strip():
        start = begin + len(text[begin:]) - len(text[begin:].lstrip())
        try:
            value, end = decoder.raw_decode(text, start)
        except (ValueError, yaml.YAMLError):
            return
        try:
            node = _compose(_blank(text[:start]) + text[start:end])
        except yaml.YAMLError:  # `\/`, which is JSON's alone
            node = None
        yield Document(value, node), end
        begin = end


_NOWHERE = yaml.ScalarNode("", "", yaml.Mark("", 0, 0, 0, None, 0))


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make an object; one with a field twice is left to YAML, which tells where it is."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a field is given twice")
    return found


def _no_json(word: str) -> None:
    raise ValueError(f"{word} is no JSON")


def _blank(text: str) -> str:
    """Return as many lines and columns of nothing."""
    return "\n" * text.count("\n") + " " * (len(text) - text.rfind("\n") - 1)


def _yaml_documents(text: str, begin: int) -> Iterator[Document]:
    for padded in _chunks(text, begin):
        node = _compose(padded)
        yield Document(None if node is None else value_of(node), node)


def _chunks(text: str, begin: int) -> Iterator[str]:
    """Cut a text at its separators, and yield each part behind as many empty lines as stand before it.

    Every line gets an end, the last one too: a `|` block at the very end has its line break.

    Raises
    ------
    yaml.MarkedYAMLError
        A line that begins with `---` and goes on.
    """
    lines = text.removesuffix("\n").split("\n")
    first = text.count("\n", 0, begin)
    if begin:  # behind JSON, kubectl skips blanks
        lines[first] = lines[first][begin - text.rfind("\n", 0, begin) - 1 :].lstrip()
    since, held = first, False
    for number in range(first, len(lines)):
        line = lines[number]
        if line.startswith(_SEPARATOR):
            rest = line[len(_SEPARATOR) :].strip()
            if rest and not rest.startswith("#"):
                mark = yaml.Mark("", 0, number, 0, None, 0)
                problem = f"invalid document separator: {rest}"
                raise yaml.MarkedYAMLError(problem=problem, problem_mark=mark)
            if held:
                yield _padded(lines, since, number)
                since, held = number + 1, False
                continue
        held = True
    yield _padded(lines, since, len(lines))


def _padded(lines: list[str], since: int, end: int) -> str:
    """Return a part of a text behind its empty lines; a byte order mark may begin it."""
    part = "".join(f"{line}\n" for line in lines[since:end])
    return "\n" * since + part.removeprefix("\ufeff")


def _compose(padded: str) -> yaml.Node | None:
    """Return the tree of the one document of a text."""
    loader = Loader(padded)
    try:
        node = loader.get_node() if loader.check_node() else None
        if loader.check_node():  # kubectl would drop it
            mark = loader.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.MarkedYAMLError(problem="expected '<document start>'", problem_mark=mark)
    finally:
        loader.dispose()
    return node
