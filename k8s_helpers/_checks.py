"""What a lab's arguments must be: distinct names of a list, numbers within bounds; refused in three French lines."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from ._errors import UsageError
from ._french import enumeration, number


def names(
    tried: str,
    noun: str,
    asked: Sequence[str],
    known: Collection[str],
    *,
    feminine: bool = True,
    besides: str = "",
) -> None:
    """Refuse what is no list of distinct known names.

    Parameters
    ----------
    tried : str
        What was attempted, in French.
    noun : str
        What they are, as a French plural: "stratégies".
    asked : sequence of str
        What the caller gave; a single string is no list.
    known : collection of str
        Those that there are.
    feminine : bool
        The noun's gender.
    besides : str
        What else may be given, in French.

    Raises
    ------
    UsageError
        A single string, no name, an unknown one, or one that comes twice.
    """
    wrong = isinstance(asked, str) or not asked or set(asked) - set(known)
    if wrong or len(set(asked)) < len(asked):
        e = "e" if feminine else ""
        of = "d’" if noun[0] in "aeiouéêh" else "de "
        raise UsageError(
            tried,
            f"les {noun} demandé{e}s sont {asked!r}",
            f"Donnez une liste {of}{noun} différent{e}s, parmi : {', '.join(known)}{besides}.",
        )


def bounds(tried: str, *quantities: tuple[float, float, float, str]) -> None:
    """Refuse numbers out of their bounds.

    Parameters
    ----------
    tried : str
        What was attempted, in French.
    *quantities : (value, low, high, unit)
        Each number, its bounds, and what it counts in French: (replicas, 1, 20, "réplicas").

    Raises
    ------
    UsageError
        One is out of them: all are named, with their bounds.
    """
    if all(low <= value <= high for value, low, high, _ in quantities):
        return
    given = ", ".join(f"{value} {unit}" for value, _, _, unit in quantities)
    wanted = [f"{_plain(low)} à {_plain(high)} {unit}" for _, low, high, unit in quantities]
    raise UsageError(tried, given, f"Donnez {enumeration(wanted)}.")


def _plain(value: float) -> str:
    return number(value, 0 if value == int(value) else 1)
