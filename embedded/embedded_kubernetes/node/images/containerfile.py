"""Containerfiles: text to instructions, and the small language inside them.

The grammar is that of docs.docker.com/reference/dockerfile, as far as course images go; what is left out is refused
by name, with its line. Pure functions.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ...errors import ImageError

INSTRUCTIONS = frozenset(
    (
        "ADD",
        "ARG",
        "CMD",
        "COPY",
        "ENTRYPOINT",
        "ENV",
        "EXPOSE",
        "FROM",
        "HEALTHCHECK",
        "LABEL",
        "MAINTAINER",
        "RUN",
        "STOPSIGNAL",
        "USER",
        "VOLUME",
        "WORKDIR",
    )
)
NOT_HERE = {
    "ONBUILD": "écrivez les instructions dans le Containerfile qui en a besoin",
    "SHELL": 'écrivez « RUN » sous forme de liste : RUN ["bash", "-c", "…"]',
}

_VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)(?::?([-+])([^}]*))?\})")


@dataclass(frozen=True)
class Instruction:
    """One instruction: `COPY --from=build /app /app` is `COPY`, `{"from": "build"}`, `/app /app`."""

    line: int
    keyword: str
    flags: tuple[tuple[str, str], ...]
    text: str

    def flag(self, name: str) -> str | None:
        """Return a flag's last value, or None."""
        return dict(self.flags).get(name)


@dataclass(frozen=True)
class BuildStage:
    """A `FROM` and what follows it."""

    name: str
    """What `AS` calls it, or its number."""
    start: Instruction
    body: tuple[Instruction, ...]


@dataclass(frozen=True)
class Containerfile:
    """A whole file: the `ARG`s before the first `FROM`, then its stages."""

    source: Path
    arguments: tuple[Instruction, ...]
    stages: tuple[BuildStage, ...]

    def error(self, line: int, found: str, advice: str) -> ImageError:
        """Return an error that names file and line."""
        return error(self.source, line, found, advice)


def error(source: Path, line: int, found: str, advice: str) -> ImageError:
    """Return an error that names file and line."""
    return ImageError(f"Lire {source}, ligne {line}", found, advice)


def parse(text: str, source: Path) -> Containerfile:
    """Read a Containerfile.

    Parameters
    ----------
    text : str
        Its content.
    source : Path
        Where it lies, for messages.

    Raises
    ------
    ImageError
        An unknown or unsupported instruction, or no `FROM`; names the line.
    """
    arguments: list[Instruction] = []
    stages: list[tuple[Instruction, list[Instruction]]] = []
    for number, line in _logical_lines(text):
        instruction = _instruction(number, line, source)
        if instruction.keyword == "FROM":
            stages.append((instruction, []))
        elif stages:
            stages[-1][1].append(instruction)
        elif instruction.keyword == "ARG":
            arguments.append(instruction)
        else:
            raise error(
                source,
                number,
                f"« {instruction.keyword} » avant « FROM »",
                "Commencez par FROM (ou ARG puis FROM).",
            )
    if not stages:
        raise error(source, 1, "aucune instruction FROM", "Ajoutez « FROM python:3 », par exemple.")
    return Containerfile(
        source,
        tuple(arguments),
        tuple(
            BuildStage(_stage_name(start, number), start, tuple(body))
            for number, (start, body) in enumerate(stages)
        ),
    )


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield instructions' first line number and text, continuations joined, comments gone."""
    pending, began = "", 0
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        if not pending:
            began = number
        if line.endswith("\\"):
            pending += line[:-1].rstrip() + " "
            continue
        yield began, pending + line
        pending = ""
    if pending:
        yield began, pending.strip()


def _instruction(number: int, line: str, source: Path) -> Instruction:
    keyword, _, rest = line.partition(" ")
    keyword, rest = keyword.upper(), rest.strip()
    if keyword in NOT_HERE:
        raise error(
            source,
            number,
            f"« {keyword} » n’existe pas dans ce cluster",
            f"À la place, {NOT_HERE[keyword]}.",
        )
    if keyword not in INSTRUCTIONS:
        known = ", ".join(sorted(INSTRUCTIONS))
        raise error(
            source,
            number,
            f"instruction inconnue « {keyword} »",
            f"Instructions possibles : {known}.",
        )
    flags: list[tuple[str, str]] = []
    while keyword in ("ADD", "COPY", "FROM", "RUN", "HEALTHCHECK") and rest.startswith("--"):
        flag, _, rest = rest.partition(" ")
        name, _, value = flag[2:].partition("=")
        flags.append((name, value))
        rest = rest.lstrip()
    if not rest:
        raise error(
            source,
            number,
            f"« {keyword} » sans rien derrière",
            "Complétez ou supprimez cette ligne.",
        )
    if keyword in ("ADD", "COPY", "RUN") and re.search(r"<<-?[\"']?\w+", rest):
        raise error(
            source,
            number,
            "document intégré (« << »)",
            "Mettez ce texte dans un fichier et copiez-le.",
        )
    return Instruction(number, keyword, tuple(flags), rest)


def _stage_name(start: Instruction, number: int) -> str:
    parts = start.text.split()
    return parts[2] if len(parts) == 3 and parts[1].upper() == "AS" else str(number)


def exec_form(text: str) -> tuple[str, ...] | None:
    """Return the list of `["a", "b"]`, or None for the shell form."""
    if not text.startswith("["):
        return None
    try:
        items = json.loads(text)
    except ValueError:
        return None
    if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
        return None
    return tuple(items)


def command(text: str) -> tuple[str, ...]:
    """Return what `CMD`, `ENTRYPOINT` and `RUN` execute: the list, or the shell with the line."""
    listed = exec_form(text)
    return ("/bin/sh", "-c", text) if listed is None else listed


def expand(text: str, variables: Mapping[str, str]) -> str:
    """Replace `$NAME`, `${NAME}`, `${NAME:-otherwise}` and `${NAME:+instead}`."""

    def value(match: re.Match[str]) -> str:
        known = variables.get(match[1] or match[2], "")
        if match[3] == "-":
            return known or expand(match[4], variables)
        if match[3] == "+":
            return expand(match[4], variables) if known else ""
        return known

    return _VARIABLE.sub(value, text)


def words(text: str, variables: Mapping[str, str]) -> list[str]:
    """Split a line at blanks as Containerfiles do: quotes keep together, single ones keep `$` too."""
    words: list[str] = []
    for match in re.finditer(r"""(?:[^\s"'\\]|\\.|"(?:[^"\\]|\\.)*"|'[^']*')+""", text):
        pieces = re.findall(r"""'[^']*'|"(?:[^"\\]|\\.)*"|(?:[^"'\\]|\\.)+""", match[0])
        words.append("".join(_piece(piece, variables) for piece in pieces))
    return words


def _piece(piece: str, variables: Mapping[str, str]) -> str:
    if piece[0] == "'":
        return piece[1:-1]
    quoted = piece[0] == '"'
    inner = piece[1:-1] if quoted else piece
    done = ""
    for part in re.split(r"(\\.)", inner):
        if part.startswith("\\") and len(part) == 2:
            done += part[1] if not quoted or part[1] in '"\\$' else part
        else:
            done += expand(part, variables)
    return done


def pairs(text: str, variables: Mapping[str, str]) -> dict[str, str]:
    """Return the names and values of `ENV`, `LABEL` and `ARG` (`A=1 B="x y"`, or the old `A 1`)."""
    first = re.match(r"[^\s=]+(?=\s|$)", text)
    if first:
        return {first[0]: " ".join(words(text[first.end() :], variables))}
    values = {}
    for word in words(text, variables):
        name, _, value = word.partition("=")
        values[name] = value
    return values


def ignored(patterns: list[str], path: str) -> bool:
    """Return whether a `.dockerignore` leaves a path of the context out; the last pattern that fits decides."""
    out = False
    for raw in patterns:
        pattern = raw.strip()
        if not pattern or pattern.startswith("#"):
            continue
        back = pattern.startswith("!")
        if _glob(pattern.lstrip("!").strip("/")).match(path):
            out = not back
    return out


def _glob(pattern: str) -> re.Pattern[str]:
    """Return the expression of a pattern, which also takes all that lies below what it names."""
    made = ""
    for part in re.split(r"(\*\*/?|\*|\?)", pattern):
        made += {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}.get(
            part, re.escape(part)
        )
    return re.compile(rf"{made}(?:/.*)?$")
