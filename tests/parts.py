"""A pytest plugin (`-p parts`): run one part of what was asked for, so that several runs share it out.

    --part 2/5     the second of five parts

What belongs together stays together, in its order: a file, a notebook, the attempts at one exercise. Such groups go
to the parts in turn. All parts together are the whole, whatever their number.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable
from typing import TypeVar

import pytest

_Group = TypeVar("_Group", bound=Hashable)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--part`."""
    parser.addoption("--part", metavar="NUMBER/OF", help="run one part of several")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is another part's."""
    if (text := config.getoption("--part")) is None:
        return
    number, of = parse(text)
    part_of = shared_out((group(item) for item in items), of)
    others = [item for item in items if part_of[group(item)] != number]
    items[:] = [item for item in items if part_of[group(item)] == number]
    config.hook.pytest_deselected(items=others)


def parse(text: str) -> tuple[int, int]:
    """Return both numbers of "2/5"."""
    match = re.fullmatch(r"([1-9]\d*)/([1-9]\d*)", text)
    if match is None or int(match[1]) > int(match[2]):
        raise pytest.UsageError(f"--part {text}: not of the form 2/5")
    return int(match[1]), int(match[2])


def group(item: pytest.Item) -> str:
    """Return what a test belongs to: the exercise that it attempts, or its file."""
    callspec = getattr(item, "callspec", None)
    attempt = None if callspec is None else callspec.params.get("attempt")
    return getattr(attempt, "exercise", None) or item.nodeid.partition("::")[0]


def shared_out(groups: Iterable[_Group], of: int) -> dict[_Group, int]:
    """Return the part of each group: in the order of their first appearance, in turn."""
    return {name: 1 + index % of for index, name in enumerate(dict.fromkeys(groups))}
