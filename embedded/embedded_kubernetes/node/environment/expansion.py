"""References to variables: `$(NAME)` in commands, arguments and values of variables.

`$$(NAME)` stands for the text `$(NAME)`; a reference to an unknown name stays as it is.
(source: `k8s.io/kubernetes/third_party/forked/golang/expansion`)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping


def expand(text: str, lookup: Callable[[str], str | None]) -> str:
    """Replace the references of a text.

    Parameters
    ----------
    text : str
        What may hold references.
    lookup : callable
        Returns a variable's value, or None where there is none.
    """
    out: list[str] = []
    position = 0
    while (dollar := text.find("$", position)) >= 0 and dollar + 1 < len(text):
        out.append(text[position:dollar])
        following = text[dollar + 1]
        closing = text.find(")", dollar + 2) if following == "(" else -1
        if closing >= 0:
            name = text[dollar + 2 : closing]
            value = lookup(name)
            out.append(f"$({name})" if value is None else value)
            position = closing + 1
            continue
        out.append("$" if following == "$" else f"${following}")
        position = dollar + 2
    out.append(text[position:])
    return "".join(out)


def lookup_in(*variables: Mapping[str, str]) -> Callable[[str], str | None]:
    """Return a lookup in several mappings, the first one that knows the name wins."""

    def find(name: str) -> str | None:
        for known in variables:
            if name in known:
                return known[name]
        return None

    return find
