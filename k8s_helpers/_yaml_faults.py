"""What is wrong in a YAML text, in French, with the place: the parser's own words are for those who wrote it. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import yaml

_TYPOGRAPHIC = "“”„‟«»‘’‚‛"
_CLOSING = {"[": "]", "{": "}"}
_NO_BREAK = "\u00a0\u202f\u2007"


class Mark(Protocol):
    """A place in a text as PyYAML gives it, counted from 0."""

    line: int
    column: int


@dataclass(frozen=True)
class Place:
    """A place in a text, counted from 1, with its line."""

    source: str
    line: int
    column: int
    text: str

    @classmethod
    def of(cls, source: str, text: str, mark: Mark) -> Place:
        """Return the place of a mark; one past the end is moved to the last line."""
        lines = text.splitlines() or [""]
        line = min(mark.line, len(lines) - 1)
        column = mark.column if line == mark.line else len(lines[line])
        return cls(source, line + 1, column + 1, lines[line])

    def __str__(self) -> str:
        return f"{self.source}, ligne {self.line}, colonne {self.column}"

    def excerpt(self) -> str:
        """Return the line with a caret under the place, tabs shown as arrows."""
        shown = self.text.replace("\t", "→")
        return f"\n    {self.line:4} | {shown}\n         | {' ' * (self.column - 1)}^"


Fault = tuple[Place, str, str]
"""Where, what was found, what to do."""


def in_tree(node: yaml.Node, source: str, text: str) -> Fault | None:
    """Return the first fault that YAML accepts and Kubernetes would not: changed quotes or spaces, doubles."""
    for found in _walk(node):
        if (
            isinstance(found, yaml.ScalarNode)
            and found.style is None
            and isinstance(found.value, str)
        ):
            place = Place.of(source, text, found.start_mark)
            if found.value[:1] and found.value[0] in _TYPOGRAPHIC:
                return (
                    place,
                    f"un guillemet typographique « {found.value[0]} » au lieu du guillemet droit",
                    'Remplacez-le par le guillemet droit " (un traitement de texte ou un site web l’a changé).',
                )
            if set(found.value) & set(_NO_BREAK) and found.value.strip(_NO_BREAK) != found.value:
                return (
                    place,
                    "une espace insécable, qui pour YAML est une lettre",
                    "Effacez les espaces de cette ligne et tapez-les de nouveau (un copier-coller les a changées).",
                )
        if isinstance(found, yaml.MappingNode) and (double := _double(found)) is not None:
            return (
                Place.of(source, text, double.start_mark),
                f"le champ « {double.value} » est écrit deux fois dans le même objet",
                "Gardez-en un seul ; entre deux objets, il faut une ligne de trois tirets « --- »."
                if double.value in ("apiVersion", "kind")
                else "Gardez-en un seul.",
            )
    return None


def _walk(node: yaml.Node) -> Iterator[yaml.Node]:
    yield node
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield from _walk(key)
            yield from _walk(value)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _walk(item)


def _double(node: yaml.MappingNode) -> yaml.Node | None:
    seen: set[str] = set()
    for key, _ in node.value:
        if isinstance(key, yaml.ScalarNode):
            if key.value in seen and key.value != "<<":
                return key
            seen.add(key.value)
    return None


def explain(error: yaml.YAMLError, source: str, text: str) -> Fault:
    """Return place, finding and advice for what PyYAML could not read."""
    if isinstance(error, yaml.reader.ReaderError):
        return _unreadable(error, source, text)
    assert isinstance(error, yaml.MarkedYAMLError)
    problem = error.problem or ""
    mark = error.problem_mark or error.context_mark
    assert mark is not None
    place = Place.of(source, text, mark)
    for test in (_tab, _unclosed, _indentation, _colon, _special):
        if (fault := test(error, problem, place, text)) is not None:
            return fault
    return (
        place,
        f"le YAML est incorrect ({problem})",
        "Comparez cette ligne avec un manifeste qui marche.",
    )


def _unreadable(error: yaml.reader.ReaderError, source: str, text: str) -> Fault:
    before = text[: error.position]
    line = before.count("\n") + 1
    lines = text.split("\n")
    place = Place(source, line, len(before) - before.rfind("\n"), lines[line - 1])
    return (
        place,
        f"un caractère invisible interdit (U+{ord(text[error.position]):04X})",
        "Effacez ce caractère, ou tapez la ligne de nouveau.",
    )


def _tab(_: yaml.MarkedYAMLError, problem: str, place: Place, text: str) -> Fault | None:
    """Find a tab where spaces are due; the parser may stumble over it one line further down."""
    lines = text.splitlines()
    for number in (place.line, place.line - 1):
        line = lines[number - 1] if number >= 1 else ""
        indentation = line[: len(line) - len(line.lstrip())]
        if "\t" in indentation:
            where = Place(place.source, number, indentation.index("\t") + 1, line)
            return (
                where,
                "une tabulation ; YAML n’accepte que des espaces",
                "Remplacez-la par deux espaces.",
            )
    if "'\\t'" in problem:
        return (
            place,
            "une tabulation ; YAML n’accepte que des espaces",
            "Remplacez-la par une espace.",
        )
    return None


def _unclosed(error: yaml.MarkedYAMLError, problem: str, place: Place, text: str) -> Fault | None:
    context = error.context or ""
    begin = Place.of(place.source, text, error.context_mark) if error.context_mark else place
    if "quoted scalar" in context and (
        "end of stream" in problem or "document separator" in problem
    ):
        return (
            begin,
            "un guillemet ouvert ici n’est jamais fermé",
            "Fermez-le avec le même guillemet.",
        )
    if "content, but found '<stream end>'" in problem and (opened := _open_brackets(text)):
        where = Place.of(place.source, text, opened[-1].start_mark)
        opening = where.text[where.column - 1]
        return (
            where,
            f"« {opening} » ouvert ici n’est jamais fermé",
            f"Fermez-le par « {_CLOSING[opening]} ».",
        )
    if "expected ',' or" in problem:
        closing = problem.split("'")[3] if problem.count("'") >= 4 else "]"
        opening = {"]": "[", "}": "{"}.get(closing, "[")
        return (
            place,
            f"« , » ou « {closing} » était attendu ici (« {opening} » ouvert ligne {begin.line})",
            f"Fermez « {opening} » par « {closing} », ou séparez les éléments par des virgules.",
        )
    return None


def _open_brackets(text: str) -> list[yaml.Token]:
    """Return the brackets that are open at the end of a text that can be cut into tokens."""
    opened: list[yaml.Token] = []
    for token in yaml.scan(text):
        if isinstance(token, yaml.FlowSequenceStartToken | yaml.FlowMappingStartToken):
            opened.append(token)
        elif isinstance(token, yaml.FlowSequenceEndToken | yaml.FlowMappingEndToken) and opened:
            opened.pop()
    return opened


def _indentation(
    error: yaml.MarkedYAMLError, problem: str, place: Place, text: str
) -> Fault | None:
    if "expected <block end>" not in problem and "did not find expected" not in problem:
        return None
    begin = Place.of(place.source, text, error.context_mark) if error.context_mark else place
    if (fault := _dash(place, text)) is not None:
        return fault
    in_list = "collection" in (error.context or "")
    if begin.column == place.column and not in_list:
        return None  # nothing is shifted
    if begin.column == place.column:
        return (
            place,
            f"ce champ est juste sous le tiret d’une liste (commencée ligne {begin.line}) : "
            "il n’est ni un élément, ni dans un élément",
            "S’il appartient à l’élément, décalez-le de deux espaces : aligné sur ce qui suit le tiret.",
        )
    what = "la liste commencée" if in_list else "l’objet commencé"
    return (
        place,
        f"ce décalage ne correspond à rien : {what} ligne {begin.line} a {begin.column - 1} "
        f"espace{'s' if begin.column > 2 else ''} devant, cette ligne {place.column - 1}",
        "Alignez la ligne avec ses voisines : même nombre d’espaces pour les champs d’un même objet.",
    )


def _dash(place: Place, text: str) -> Fault | None:
    """Find an item of a list that stands left of the field it belongs to."""
    if not place.text[place.column - 1 :].startswith("- "):
        return None
    lines = text.splitlines()[: place.line - 1]
    number = next((at for at in range(len(lines), 0, -1) if lines[at - 1].strip()), 0)
    above = lines[number - 1] if number else ""
    owner, colon, rest = above.strip().partition(":")
    if colon and not rest.strip():
        spaces = len(above) - len(above.lstrip())
        return (
            place,
            f"un tiret trop à gauche : il commence un élément de la liste « {owner} » (ligne {number})",
            f"Décalez ce tiret et tout son élément à droite : {spaces + 2} espaces devant le tiret.",
        )
    return (
        place,
        "un tiret là où un champ était attendu",
        "Un tiret commence un élément de liste : décalez-le sous le champ qui contient la liste.",
    )


def _colon(error: yaml.MarkedYAMLError, problem: str, place: Place, text: str) -> Fault | None:
    if "mapping values are not allowed" in problem:
        return (
            place,
            "un « : » inattendu : cette ligne est trop décalée, ou sa valeur contient « : »",
            'Alignez la ligne avec ses voisines ; si la valeur contient « : », mettez-la entre guillemets "…".',
        )
    if "could not find expected ':'" in problem:
        begin = Place.of(place.source, text, error.context_mark) if error.context_mark else place
        return (
            begin,
            "il manque « : » suivi d’une espace après le nom du champ",
            "Écrivez « champ: valeur », avec une espace après le deux-points.",
        )
    return None


def _special(error: yaml.MarkedYAMLError, problem: str, place: Place, text: str) -> Fault | None:
    quote = 'Mettez la valeur entre guillemets "…".'
    if (found := re.search(r"found character '(.+)' that cannot start", problem)) is not None:
        return place, f"une valeur ne peut pas commencer par « {found[1]} »", quote
    if "unknown escape" in problem:
        return (
            place,
            "une barre oblique inverse « \\ » mal employée",
            "Doublez-la (« \\\\ ») ou prenez des guillemets simples.",
        )
    if "alias" in problem or "alphabetic or numeric" in problem:
        return place, "« * » ou « & » au début d’une valeur a un sens spécial pour YAML", quote
    if "unhashable key" in problem or "found unhashable" in problem:
        return (
            place,
            "des accolades « {{ … }} » non remplies (c’est un modèle, pas encore un manifeste)",
            "Remplacez-les par une valeur, ou mettez-les entre guillemets.",
        )
    if "could not determine a constructor" in problem:
        return (
            place,
            "une étiquette « !… » que Kubernetes ne connaît pas",
            "Enlevez-la, ou mettez la valeur entre guillemets.",
        )
    return None
