"""Recordings of format 1, whose facts were French words: translated to the codes of today when they are read.

What was written by which lab is data: `format_1/<experiment>.json`, which says for names of runs (`runs`), for `who`,
`what` and `answer` of `attempts`, for `kind` and `detail` of `marks`, and for `parameters` by name at any depth, a
list of pairs: a pattern, which must match the whole word, and the code that replaces it, with the groups of the match.
The first pair that matches counts, and what none matches stays as it is. `facts` has the kinds of marks
whose detail was JSON, each with the names that changed in it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).with_name("format_1")

Pairs = Sequence[tuple[str, str]]


def translate(plain: dict[str, Any]) -> None:
    """Give the JSON of a recording of format 1 the codes of today, in place."""
    path = _FOLDER / f"{plain['experiment']}.json"
    if not path.exists():
        return
    table = json.loads(path.read_text(encoding="utf-8"))
    for run in plain["runs"]:
        run["name"] = _code(run["name"], table.get("runs", ()))
        run["parameters"] = _parameters(run["parameters"], table.get("parameters", {}))
        _take_facts(run.get("marks", {}), table.get("facts", {}))
        for kind in ("attempts", "marks"):
            columns = run.get(kind, {})
            for name, pairs in table.get(kind, {}).items():
                if name in columns:
                    columns[name] = [_code(word, pairs) for word in columns[name]]


def _take_facts(marks: dict[str, list[Any]], kinds: Mapping[str, Mapping[str, str]]) -> None:
    """Give marks the facts that were JSON in their detail."""
    rows = list(zip(marks.get("kind", ()), marks.get("detail", ()), strict=True))
    if any(kind in kinds for kind, _ in rows):
        marks["facts"] = [
            {kinds[kind].get(name, name): value for name, value in json.loads(detail).items()}
            if kind in kinds
            else {}
            for kind, detail in rows
        ]
        marks["detail"] = ["" if kind in kinds else detail for kind, detail in rows]


def _code(word: Any, pairs: Pairs) -> Any:
    if isinstance(word, str):
        for pattern, code in pairs:
            if match := re.fullmatch(pattern, word):
                return match.expand(code)
    return word


def _parameters(value: Any, tables: Mapping[str, Pairs], pairs: Pairs = ()) -> Any:
    """Return plain JSON with the words below each named key replaced."""
    if isinstance(value, dict):
        return {
            name: _parameters(inner, tables, tables.get(name, pairs))
            for name, inner in value.items()
        }
    if isinstance(value, list):
        return [_parameters(inner, tables, pairs) for inner in value]
    return _code(value, pairs)
