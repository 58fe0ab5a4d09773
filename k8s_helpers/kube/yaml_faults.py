"""What is wrong in a YAML text, in French, with the place: the parser's own words are for those who wrote it. Pure."""

from __future__ import annotations

import contextlib
import re

import yaml

from .yaml import TYPOGRAPHIC, Loader, Place, ValueFault

_CLOSING = {"[": "]", "{": "}"}


Fault = tuple[Place, str, str]
"""Where, what was found, what to do."""


def of_retouched(scalar: yaml.ScalarNode, source: str, text: str) -> Fault:
    """Return what an editor has changed in a scalar (`yaml.retouched`): its quotes or its spaces."""
    place = Place.of(source, text, scalar.start_mark)
    if scalar.value[0] in TYPOGRAPHIC:
        return (
            place,
            f"un guillemet typographique « {scalar.value[0]} » au lieu du guillemet droit",
            'Remplacez-le par le guillemet droit " (un traitement de texte ou un site web l’a changé).',
        )
    return (
        place,
        "une espace insécable, qui pour YAML est une lettre",
        "Effacez les espaces de cette ligne et tapez-les de nouveau (un copier-coller les a changées).",
    )


def explain(error: yaml.YAMLError, source: str, text: str) -> Fault:
    """Return place, finding and advice for what PyYAML could not read."""
    if isinstance(error, yaml.reader.ReaderError):
        return _unreadable(error, source, text)
    assert isinstance(error, yaml.MarkedYAMLError)
    problem = error.problem or ""
    mark = error.problem_mark or error.context_mark
    assert mark is not None
    place = Place.of(source, text, mark)
    if isinstance(error, ValueFault):
        return place, *_value(error)
    for test in (_document, _unclosed, _tab, _indentation, _colon, _special):
        if (fault := test(error, problem, place, text)) is not None:
            return fault
    return (
        place,
        f"le YAML est incorrect ({problem})",
        "Comparez cette ligne avec un manifeste qui marche.",
    )


def _value(fault: ValueFault) -> tuple[str, str]:
    """Say what keeps a document that YAML allows from being JSON."""
    detail = fault.detail
    if fault.code == "duplicate":
        return (
            f"le champ « {detail} » est écrit deux fois dans le même objet",
            "Gardez-en un seul ; entre deux objets, il faut une ligne de trois tirets « --- »."
            if detail in ("apiVersion", "kind")
            else "Gardez-en un seul.",
        )
    if fault.code == "key" and not detail:
        return (
            "des accolades « {{ … }} » non remplies (c’est un modèle, pas encore un manifeste)",
            "Remplacez-les par une valeur, ou mettez-les entre guillemets.",
        )
    if fault.code == "key":
        return f"« {detail} » ne peut pas être le nom d’un champ", "Mettez ce nom entre guillemets."
    if fault.code == "number":
        return (
            f"« {detail} » est pour YAML un nombre, mais il n’en existe pas de tel en JSON",
            'Si c’est un texte, mettez-le entre guillemets "…".',
        )
    if fault.code == "tag":
        return (
            f"cette valeur n’est pas ce que dit l’étiquette « {detail} »",
            "Enlevez l’étiquette, ou corrigez la valeur.",
        )
    if fault.code == "merge":
        return (
            "« << » attend un objet, ou une liste d’objets (« *nom » d’une ancre)",
            "Placez « &nom » devant l’objet à reprendre, et « <<: *nom » là où il est repris.",
        )
    if fault.code == "cycle":
        return "cet objet se contient lui-même (« *nom »)", "Recopiez ce qu’il faut à la place."
    return (
        "trop de « *nom » : l’objet serait énorme",
        "Recopiez moins, ou écrivez plusieurs objets.",
    )


def _document(error: yaml.MarkedYAMLError, problem: str, place: Place, text: str) -> Fault | None:
    """Find what stands between two documents, or after one."""
    if "invalid document separator" in problem:
        return (
            place,
            "cette ligne commence par « --- », qui sépare deux objets : rien d’autre n’y a sa place",
            "Si c’est du texte (un certificat), décalez-le sous son champ ; sinon, passez à la ligne après « --- ».",
        )
    if "expected '<document start>'" not in problem:
        return None
    above = text.split("\n")[max(0, place.line - 2)]
    if above.startswith("%"):
        where = Place(place.source, max(1, place.line - 1), 1, above)
        return where, "kubectl ne lit pas les lignes « %… »", "Enlevez cette ligne."
    return (
        place,
        "le document est déjà fini avant cette ligne (elle est moins décalée que la première, ou suit « ... ») : "
        "kubectl l’ignorerait sans rien dire",
        "Alignez-la avec la première ligne de l’objet, ou séparez deux objets par une ligne « --- ».",
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
    if "'\\t'" in problem or "tab character" in problem:
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
    if (
        "<stream end>" in problem
        and error.problem_mark is not None
        and (opened := _open_brackets(text, error.problem_mark.line))
    ):
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


def _open_brackets(text: str, end_line: int) -> list[yaml.Token]:
    """Return the brackets that are open before a line (counted from 0), in the document that ends there."""
    lines = text.split("\n")[:end_line]
    begin = max((at + 1 for at, line in enumerate(lines) if line.startswith("---")), default=0)
    loader = Loader("\n" * begin + "\n".join(lines[begin:]) + "\n")
    opened: list[yaml.Token] = []
    with contextlib.suppress(yaml.YAMLError):
        while loader.check_token():
            token = loader.get_token()  # type: ignore[no-untyped-call]
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
    if "Unicode character escape" in problem:
        return (
            place,
            "une suite « \\u… » qui n’est pas un caractère",
            "Écrivez le caractère lui-même, ou enlevez-la.",
        )
    return None
