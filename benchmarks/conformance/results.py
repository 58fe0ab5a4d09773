"""What the suite's reports say of the specs that were asked for. Pure."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

Outcome = Literal["passed", "failed", "skipped", "missing"]
"""Skipped: by the suite itself, which finds that the cluster lacks what a spec needs. Missing: no such spec."""

_FAILED = frozenset(("failed", "timedout", "panicked", "interrupted", "aborted"))
_AREA = re.compile(r"\[(sig-[\w-]+)\]")
_IT = "[It] "


@dataclass(frozen=True)
class Spec:
    """One spec of the suite and what became of it.

    Attributes
    ----------
    name : str
        As the list of specs has it.
    message : str
        The first line of what the suite says of a failure; "" otherwise.
    """

    name: str
    outcome: Outcome
    message: str = ""

    @property
    def area(self) -> str:
        """Whose it is: `sig-node`, `sig-network` …"""
        return area(self.name)


def area(name: str) -> str:
    """Return the first `[sig-…]` of a spec's name; "" where there is none."""
    match = _AREA.search(name)
    return "" if match is None else match[1]


def read_names(text: str) -> tuple[str, ...]:
    """Return the specs that a list names, one a line; `#` begins a remark."""
    lines = (line.strip() for line in text.splitlines())
    return tuple(dict.fromkeys(line for line in lines if line and not line.startswith("#")))


def by_area(names: Iterable[str]) -> dict[str, list[str]]:
    """Return the specs of each area, areas in alphabetical order."""
    areas: dict[str, list[str]] = {}
    for name in names:
        areas.setdefault(area(name), []).append(name)
    return dict(sorted(areas.items()))


def outcomes(names: Iterable[str], reports: Sequence[str]) -> tuple[Spec, ...]:
    """Return what became of each spec that was asked for.

    A report also lists every spec that the suite has and that was not asked for, as skipped without a reason. Where
    several reports have a spec, what it did in the last one that ran it counts.

    Parameters
    ----------
    names : iterable of str
        The specs that were asked for.
    reports : sequence of str
        JUnit reports of ginkgo, in the order of the runs.
    """
    ran: dict[str, Spec] = {}
    for report in reports:
        for spec in _cases(report):
            if spec.outcome != "skipped" or spec.message:
                ran[spec.name] = spec
    return tuple(_outcome(name, ran) for name in names)


def _outcome(name: str, ran: Mapping[str, Spec]) -> Spec:
    """Return what a spec did: the report adds its labels to its name, which may hold them already."""
    exact = ran.get(name) or next(
        (spec for shown, spec in ran.items() if shown.startswith(f"{name} [")), None
    )
    return Spec(name, "missing") if exact is None else Spec(name, exact.outcome, exact.message)


def _cases(report: str) -> Iterable[Spec]:
    for case in ElementTree.fromstring(report).iter("testcase"):
        name, status = case.get("name", ""), case.get("status", "")
        if not name.startswith(_IT):
            continue
        name = name.removeprefix(_IT)
        if status == "passed":
            yield Spec(name, "passed")
        elif status in _FAILED:
            yield Spec(name, "failed", _first_line(case, ("failure", "error")) or status)
        else:
            yield Spec(name, "skipped", _reason_of_skip(case))


def _first_line(case: ElementTree.Element, tags: Sequence[str]) -> str:
    said = next((part.get("message") or "" for part in case if part.tag in tags), "")
    return next((line.strip() for line in said.splitlines() if line.strip()), "")


def _reason_of_skip(case: ElementTree.Element) -> str:
    """Return why the suite left a spec out; "" where nobody asked for it."""
    return _first_line(case, ("skipped",)).removeprefix("skipped").lstrip(" -")


def count(specs: Iterable[Spec]) -> Counter[Outcome]:
    """Return how many specs had each outcome."""
    return Counter(spec.outcome for spec in specs)


def tried(specs: Iterable[Spec]) -> int:
    """Return how many specs ran to a verdict."""
    counts = count(specs)
    return counts["passed"] + counts["failed"]
