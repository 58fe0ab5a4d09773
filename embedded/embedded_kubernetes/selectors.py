"""Label selectors, as they are written in queries (`app=web,tier in (a,b),!old`) and in objects (`matchLabels`).

(source: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/)
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_TERM = re.compile(
    r"""\s*(?:
        !\s*(?P<absent>[^\s,!=()]+)
      | (?P<set>[^\s,!=()]+)\s+(?P<how>in|notin)\s*\((?P<values>[^)]*)\)
      | (?P<key>[^\s,!=()]+)\s*(?P<sign>==|=|!=)\s*(?P<value>[^\s,()=!]*)
      | (?P<present>[^\s,!=()]+)
    )\s*(?:,|$)""",
    re.VERBOSE,
)


def selector_matches(selector: str, labels: Mapping[str, str]) -> bool:
    """Return whether labels satisfy a selector; the empty one is satisfied by all.

    Raises
    ------
    ValueError
        The selector cannot be read.
    """
    at = 0
    while at < len(selector):
        term = _TERM.match(selector, at)
        if term is None:
            raise ValueError(f"unable to parse label selector {selector!r} at {selector[at:]!r}")
        if not _satisfies(term, labels):
            return False
        at = term.end()
    return True


def _satisfies(term: re.Match[str], labels: Mapping[str, str]) -> bool:
    if term["absent"]:
        return term["absent"] not in labels
    if term["present"]:
        return term["present"] in labels
    if term["set"]:
        values = {value.strip() for value in term["values"].split(",")}
        return (labels.get(term["set"]) in values) == (term["how"] == "in")
    return (labels.get(term["key"]) == term["value"]) == (term["sign"] != "!=")


def label_selector_matches(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Return whether labels satisfy an object's LabelSelector; the empty one is satisfied by all."""
    wanted = selector.get("matchLabels") or {}
    return all(labels.get(key) == value for key, value in wanted.items()) and all(
        _expression_holds(expression, labels)
        for expression in selector.get("matchExpressions") or ()
    )


def _expression_holds(expression: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    key, values = expression["key"], expression.get("values") or ()
    match expression["operator"]:
        case "In":
            return labels.get(key) in values
        case "NotIn":
            return labels.get(key) not in values
        case "Exists":
            return key in labels
        case _:
            return key not in labels
