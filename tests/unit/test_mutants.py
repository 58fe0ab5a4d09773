"""The changes that are made to a module to see whether a test sees them."""

from __future__ import annotations

from mutants import mutants

SOURCE = """
def f(a: int = 2, *b: "str") -> bool:
    '''No change here.'''
    if a <= 0:
        raise ValueError("nor here")
    return a in b and any(x for x in b if x)
"""


def test_each_change_is_made_alone_and_told_with_its_line() -> None:
    told = [words for words, _ in mutants(SOURCE)]
    assert told == [
        "2: 2  →  3",
        "4: a <= 0  →  not a <= 0",
        "4: a <= 0  →  a < 0",
        "4: 0  →  1",
        "6: a in b and any((x for x in b if x))  →  a in b or any((x for x in b if x))",
        "6: a in b and any((x for x in b if x))  →  any((x for x in b if x))",
        "6: a in b and any((x for x in b if x))  →  a in b",
        "6: a in b  →  a not in b",
        "6: any((x for x in b if x))  →  all((x for x in b if x))",
        "6: for x in b if x  →  for x in b",
    ]
    changed = [source for _, source in mutants(SOURCE)]
    assert len(set(changed)) == len(told)
    assert "a < 0" in changed[2] and "a in b and any" in changed[2]
