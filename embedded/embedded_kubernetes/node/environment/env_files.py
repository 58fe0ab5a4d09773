"""Variables out of a file of a volume (`fileKeyRef`): a subset of the shell's syntax, every value in single quotes.

(source: `pkg/kubelet/util/env/env_util.go`)
"""

from __future__ import annotations

from collections.abc import Iterator


class EnvFileError(Exception):
    """A file that does not have the form."""


def value_of(text: str, key: str) -> str:
    """Return the value that a file gives a variable; "" where it does not name it.

    Raises
    ------
    EnvFileError
        A line before that one has another form than `NAME='value'`.
    """
    lines = enumerate(text.removesuffix("\n").split("\n"), 1)
    for number, raw in lines:
        line = raw.lstrip(" \t")
        if not line or line.startswith("#"):
            continue
        name, equals, rest = line.partition("=")
        if not equals:
            raise _refused(number, "missing '='")
        if not name.rstrip(" \t"):
            raise _refused(number, "empty variable name")
        if name != name.rstrip(" \t"):
            raise _refused(number, "whitespace before '=' is not allowed")
        if rest[:1] in (" ", "\t"):
            if name == key:
                return ""
            continue
        if not rest.startswith("'"):
            raise _refused(number, "value must be enclosed in single quotes")
        value = _quoted(rest[1:], number, lines)
        if name == key:
            return value
    return ""


def _quoted(rest: str, began: int, lines: Iterator[tuple[int, str]]) -> str:
    """Return what stands up to the closing quote, which may be some lines further."""
    value = ""
    number = began
    while "'" not in rest:
        value += rest + "\n"
        try:
            number, rest = next(lines)
        except StopIteration:
            words = f"invalid environment variable format starting at line {began}: unclosed single quote"
            raise EnvFileError(words) from None
    inner, _, after = rest.partition("'")
    after = after.lstrip(" \t")
    if after and not after.startswith("#"):
        raise _refused(number, "unexpected content after closing quote")
    return value + inner


def _refused(line: int, what: str) -> EnvFileError:
    return EnvFileError(f"invalid environment variable format at line {line}: {what}")
