"""YAML and JSON texts as kubectl reads them: their documents, their trees with the lines, their values as JSON.

Three steps. kubectl cuts a text at the lines that begin with `---` before any of it is parsed, and takes a text that
begins with a brace for JSON as long as it can (`documents`). Each part becomes a tree as libyaml's port in Go cuts it
(`Loader`): PyYAML is stricter with tabs (`image:<tab>nginx` is right for kubectl) and looser elsewhere (`{a:}`); the
tree is PyYAML's, with its marks and its tags as written. What scalars mean is go-yaml v2's affair (`y` is true, `08080`
is 8080, `1:30` is text, of `<<` and a field the later counts), then JSON's: keys become text, `.inf` has no place in
it, and 1e3 is written 1000 (`value_of`). `tests/unit/test_yaml.py` compares with kubectl's own.

Two things that kubectl does silently are refused: a field given twice (it takes the later), and what stands after the
end of a document (it drops it). Faults are told in French by `yaml_faults`, imported once there is one.

Sources: https://github.com/kubernetes/apimachinery/blob/v0.37.0/pkg/util/yaml/decoder.go,
https://github.com/yaml/go-yaml/blob/v2.4.4/scannerc.go, https://github.com/yaml/go-yaml/blob/v2.4.4/resolve.go,
https://github.com/kubernetes-sigs/yaml/blob/v1.6.0/yaml.go
"""

from __future__ import annotations

import base64
import binascii
import codecs
import contextlib
import json
import math
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol

import yaml
from yaml.composer import Composer
from yaml.parser import Parser
from yaml.reader import Reader
from yaml.resolver import BaseResolver
from yaml.scanner import Scanner, ScannerError

_SEPARATOR = "---"
_BREAKS = "\r\n\x85\u2028\u2029"
_BLANKS = " \t"
_ENDS = "\0" + _BLANKS + _BREAKS
_FLOW_ENDS = ",?[]{}"
_TAG = "tag:yaml.org,2002:"
_TYPED = {f"{_TAG}{name}": name for name in ("str", "bool", "int", "float", "null", "timestamp")}
_BINARY, _MERGE = f"{_TAG}binary", f"{_TAG}merge"
_WORDS: dict[str, bool | float | None] = {
    **{word: True for entry in ("y", "yes", "true", "on") for word in (entry, entry.title(), entry.upper())},
    **{word: False for entry in ("n", "no", "false", "off") for word in (entry, entry.title(), entry.upper())},
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
    **{sign + word: math.inf for sign in ("", "+") for word in (".inf", ".Inf", ".INF")},
    **{f"-{word}": -math.inf for word in (".inf", ".Inf", ".INF")},
}  # fmt: skip
_INTEGER = re.compile(
    r"([-+]?)(?:0[xX](?P<hex>[0-9a-fA-F]+)|0[bB](?P<bin>[01]+)|0[oO]?(?P<oct>[0-7]+)|(?P<dec>0|[1-9][0-9]*))"
)
_BASES = {"hex": 16, "bin": 2, "oct": 8, "dec": 10}
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_POINT = re.compile(r"\.[0-9](_?[0-9])*([eE][-+]?[0-9](_?[0-9])*)?")
"""As Go's `ParseFloat`, which takes an underscore between digits only."""
_DATE = re.compile(
    r"(\d{4})-(\d{1,2})-(\d{1,2})"
    r"(?:[Tt]\d{1,2}:\d{1,2}:\d{1,2}(?:\.\d+)?(?:Z|[-+]\d\d:\d\d)| \d{1,2}:\d{1,2}:\d{1,2}(?:\.\d+)?)?"
)
_INT64, _UINT64 = 1 << 63, 1 << 64
_MANY = 1000
_ALIASED_SHARE = 0.99
TYPOGRAPHIC = "“”„‟«»‘’‚‛"
_NO_BREAK = "\u00a0\u202f\u2007\ufeff\u200b"


@dataclass(frozen=True)
class Document:
    """One document.

    Attributes
    ----------
    value : object
        As JSON: None for an empty document.
    node : yaml.Node or None
        Its tree, whose marks count from the beginning of the whole text; None for an empty document, and for JSON
        that is no YAML.
    """

    value: Any
    node: yaml.Node | None


def documents(text: str) -> Iterator[Document]:
    """Yield the documents of a text in their order.

    Raises
    ------
    yaml.YAMLError
        It cannot be read as kubectl does: PyYAML's errors, or `ValueFault`; `yaml_faults` explains them.
    """
    begin = 0
    if text.lstrip().startswith("{"):
        for document, end in _json_documents(text):
            yield document
            begin = end
    yield from _yaml_documents(text, begin)


def _json_documents(text: str) -> Iterator[tuple[Document, int]]:
    """Yield JSON objects and where each ends, up to the first that is none: the rest is YAML."""
    decoder = json.JSONDecoder(
        object_pairs_hook=_once,
        parse_int=lambda digits: json_number(int(digits), _NOWHERE),
        parse_float=lambda digits: json_number(float(digits), _NOWHERE),
        parse_constant=_no_json,
    )
    begin = 0
    while text[begin:].strip():
        start = begin + len(text[begin:]) - len(text[begin:].lstrip())
        try:
            value, end = decoder.raw_decode(text, start)
        except (ValueError, yaml.YAMLError):
            return
        try:
            node = _compose(_blank(text[:start]) + text[start:end])
        except yaml.YAMLError:  # `\/`, which is JSON's alone
            node = None
        yield Document(value, node), end
        begin = end


_NOWHERE = yaml.ScalarNode("", "", yaml.Mark("", 0, 0, 0, None, 0))


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make an object; one with a field twice is left to YAML, which tells where it is."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a field is given twice")
    return found


def _no_json(word: str) -> None:
    raise ValueError(f"{word} is no JSON")


def _blank(text: str) -> str:
    """Return as many lines and columns of nothing."""
    return "\n" * text.count("\n") + " " * (len(text) - text.rfind("\n") - 1)


def _yaml_documents(text: str, begin: int) -> Iterator[Document]:
    for padded in _chunks(text, begin):
        node = _compose(padded)
        yield Document(None if node is None else value_of(node), node)


def _chunks(text: str, begin: int) -> Iterator[str]:
    """Cut a text at its separators, and yield each part behind as many empty lines as stand before it.

    Every line gets an end, the last one too: a `|` block at the very end has its line break.

    Raises
    ------
    yaml.MarkedYAMLError
        A line that begins with `---` and goes on.
    """
    lines = text.removesuffix("\n").split("\n")
    first = text.count("\n", 0, begin)
    if begin:  # behind JSON, kubectl skips blanks
        lines[first] = lines[first][begin - text.rfind("\n", 0, begin) - 1 :].lstrip()
    since, held = first, False
    for number in range(first, len(lines)):
        line = lines[number]
        if line.startswith(_SEPARATOR):
            rest = line[len(_SEPARATOR) :].strip()
            if rest and not rest.startswith("#"):
                mark = yaml.Mark("", 0, number, 0, None, 0)
                problem = f"invalid document separator: {rest}"
                raise yaml.MarkedYAMLError(problem=problem, problem_mark=mark)
            if held:
                yield _padded(lines, since, number)
                since, held = number + 1, False
                continue
        held = True
    yield _padded(lines, since, len(lines))


def _padded(lines: list[str], since: int, end: int) -> str:
    """Return a part of a text behind its empty lines; a byte order mark may begin it."""
    part = "".join(f"{line}\n" for line in lines[since:end])
    return "\n" * since + part.removeprefix("\ufeff")


def _compose(padded: str) -> yaml.Node | None:
    """Return the tree of the one document of a text."""
    loader = Loader(padded)
    try:
        node = loader.get_node() if loader.check_node() else None
        if loader.check_node():  # kubectl would drop it
            mark = loader.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.MarkedYAMLError(problem="expected '<document start>'", problem_mark=mark)
    finally:
        loader.dispose()
    return node


class SourceMark(Protocol):
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
    def of(cls, source: str, text: str, mark: SourceMark) -> Place:
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


def retouched(node: yaml.Node) -> yaml.ScalarNode | None:
    """Return the first scalar that YAML accepts and Kubernetes would not: its quotes or spaces are changed."""
    for item in _walk(node, set()):
        if isinstance(item, yaml.ScalarNode) and item.style is None and isinstance(item.value, str):
            text = item.value
            if text[:1] and text[0] in TYPOGRAPHIC:
                return item
            if set(text) & set(_NO_BREAK) and text.strip(_NO_BREAK) != text:
                return item
    return None


def _walk(node: yaml.Node, seen: set[int]) -> Iterator[yaml.Node]:
    """Yield every node once, whatever aliases point to it."""
    if id(node) in seen:
        return
    seen.add(id(node))
    yield node
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield from _walk(key, seen)
            yield from _walk(value, seen)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _walk(item, seen)


class Loader(Reader, Scanner, Parser, Composer, BaseResolver):
    """The parts of a PyYAML loader that lead to a tree.

    Parameters
    ----------
    text : str
        One document, or what stands between two lines of `---`.
    """

    # Only escapes of YAML 1.1, as in Go: `\/` is JSON's.
    ESCAPE_REPLACEMENTS = {  # type: ignore[misc]  # noqa: RUF012
        **{key: value for key, value in Scanner.ESCAPE_REPLACEMENTS.items() if key != "/"},
        "'": "'",
    }

    def __init__(self, text: str) -> None:
        Reader.__init__(self, text)
        Scanner.__init__(self)
        Parser.__init__(self)
        Composer.__init__(self)
        BaseResolver.__init__(self)

    def dispose(self) -> None:
        """Break the reference cycles of the parser's states."""
        Parser.dispose(self)

    # --- between tokens

    def scan_to_next_token(self) -> None:
        """Skip blanks, comments and line breaks; a tab counts as a blank where no key can begin."""
        while True:
            while self.peek() == " " or (
                self.peek() == "\t" and (self.flow_level or not self.allow_simple_key)
            ):
                self.forward()
            if self.peek() == "#":
                while self.peek() not in "\0" + _BREAKS:
                    self.forward()
            if not self.scan_line_break():  # type: ignore[no-untyped-call]
                return
            if not self.flow_level:
                self.allow_simple_key = True

    # --- scalars

    def scan_plain(self) -> yaml.ScalarToken:
        """Scan a plain scalar, tabs inside included."""
        chunks: list[str] = []
        spaces: list[str] = []
        start = end = self.get_mark()
        indent = self.indent + 1
        while self.peek() != "#" and not self._at_document_indicator():
            length = self._plain_length()
            if length:
                self.allow_simple_key = False
                chunks += [*spaces, self.prefix(length)]
                self.forward(length)
                end = self.get_mark()
            if self.peek() not in _BLANKS + _BREAKS:
                break
            spaces = self.scan_plain_spaces(indent, start)
            if not self.flow_level and self.column < indent:
                break
        return yaml.ScalarToken("".join(chunks), True, start, end)

    def _plain_length(self) -> int:
        length = 0
        while True:
            char = self.peek(length)
            if (
                char in _ENDS
                or (char == ":" and self.peek(length + 1) in _ENDS)
                or (self.flow_level and char in _FLOW_ENDS)
            ):
                return length
            length += 1

    def _at_document_indicator(self) -> bool:
        return bool(self.column == 0 and self.prefix(3) in ("---", "...") and self.peek(3) in _ENDS)

    def scan_plain_spaces(self, indent: int, start_mark: Any) -> list[str]:
        """Scan the blanks and breaks after a word of a plain scalar; return what they become within it."""
        blanks, breaks = "", []
        while (char := self.peek()) in _BLANKS + _BREAKS:
            if char in _BREAKS:
                breaks.append(self.scan_line_break())  # type: ignore[no-untyped-call]
                self.allow_simple_key = True
                continue
            if breaks and char == "\t" and self.column < indent:
                raise ScannerError(
                    "while scanning a plain scalar",
                    start_mark,
                    "found a tab character that violates indentation",
                    self.get_mark(),
                )
            blanks += char
            self.forward()
        if not breaks:
            return [blanks]
        first, *others = breaks
        if first == "\n":
            return others or [" "]
        return breaks

    def scan_flow_scalar_non_spaces(self, double: bool, start_mark: Any) -> list[str]:
        """Scan a part of a quoted scalar; an escape must be a character of Unicode."""
        try:
            chunks: list[str] = Scanner.scan_flow_scalar_non_spaces(self, double, start_mark)
        except (ValueError, OverflowError):
            chunks = ["\ud800"]
        if any("\ud800" <= char <= "\udfff" for chunk in chunks for char in chunk):
            raise ScannerError(
                "while scanning a double-quoted scalar",
                start_mark,
                "found invalid Unicode character escape code",
                self.get_mark(),
            )
        return chunks

    def scan_block_scalar_indentation(self) -> tuple[list[str], int, Any]:
        """Find out how far a block scalar is indented: by its first line, in which no tab may come first."""
        chunks, max_indent, end_mark = Scanner.scan_block_scalar_indentation(self)
        self._no_tab()
        return chunks, max_indent, end_mark

    def scan_block_scalar_breaks(self, indent: int) -> tuple[list[str], Any]:
        """Scan the empty lines of a block scalar."""
        chunks, end_mark = Scanner.scan_block_scalar_breaks(self, indent)
        if self.column < indent:
            self._no_tab()
        return chunks, end_mark

    def _no_tab(self) -> None:
        if self.peek() == "\t":
            raise ScannerError(
                "while scanning a block scalar",
                None,
                "found a tab character where an indentation space is expected",
                self.get_mark(),
            )

    # --- the tree

    def compose_node(self, parent: Any, index: Any) -> Any:
        """Compose a node; an anchor may be given again, and then means the new node."""
        if not self.check_event(yaml.AliasEvent):
            self.anchors.pop(self.peek_event().anchor, None)  # type: ignore[no-untyped-call]
        return Composer.compose_node(self, parent, index)

    def compose_scalar_node(self, anchor: Any) -> yaml.ScalarNode:
        """Compose a scalar with its tag as written: "" where there is none."""
        event = self.get_event()  # type: ignore[no-untyped-call]
        node = yaml.ScalarNode(
            event.tag or "", event.value, event.start_mark, event.end_mark, style=event.style
        )
        if anchor is not None:
            self.anchors[anchor] = node
        return node


class ValueFault(yaml.MarkedYAMLError):
    """A document that YAML allows and JSON or Kubernetes does not.

    Attributes
    ----------
    code : str
        "duplicate", "key", "number", "tag", "merge", "cycle", "aliases".
    detail : str
        What it is about: the key, the value.
    """

    def __init__(self, code: str, detail: str, node: yaml.Node) -> None:
        super().__init__(None, None, f"{code}: {detail}", node.start_mark)
        self.code = code
        self.detail = detail


def value_of(node: yaml.Node) -> Any:
    """Return the JSON value of a document.

    Raises
    ------
    ValueFault
        It has none.
    """
    return _Conversion().value(node)


class _Conversion:
    """One document on its way to JSON."""

    def __init__(self) -> None:
        self._open: set[int] = set()
        self._seen: set[int] = set()
        self._decoded = self._aliased = self._alias_depth = 0

    def value(self, node: yaml.Node) -> Any:
        """Return a node's value."""
        with self._entered(node):
            if isinstance(node, yaml.MappingNode):
                found: dict[str, Any] = {}
                self._fill(found, node)
                return found
            if isinstance(node, yaml.SequenceNode):
                return [self.value(item) for item in node.value]
            assert isinstance(node, yaml.ScalarNode)
            return json_number(scalar(node), node)

    @contextlib.contextmanager
    def _entered(self, node: yaml.Node) -> Iterator[None]:
        """Refuse a node within itself, and aliases that make a small text a huge object (a node met before is one)."""
        alias = id(node) in self._seen
        if id(node) in self._open:
            raise ValueFault("cycle", "", node)
        self._open.add(id(node))
        self._seen.add(id(node))
        self._alias_depth += alias
        self._decoded += 1
        self._aliased += self._alias_depth > 0
        if self._decoded > _MANY and self._aliased > _ALIASED_SHARE * self._decoded:
            raise ValueFault("aliases", "", node)
        yield
        self._alias_depth -= alias
        self._open.discard(id(node))

    def _fill(self, found: dict[str, Any], node: yaml.MappingNode) -> None:
        """Set a mapping's fields in their order: go-yaml v2 lets a `<<` that comes later overwrite a field."""
        own: set[str] = set()
        for key, value in node.value:
            if _is_merge(key):
                for source in _merged(value):
                    with self._entered(source):
                        self._fill(found, source)
                continue
            name = key_of(key)
            if name in own:
                raise ValueFault("duplicate", name, key)
            own.add(name)
            found[name] = self.value(value)


def _is_merge(key: yaml.Node) -> bool:
    return (
        isinstance(key, yaml.ScalarNode)
        and key.value == "<<"
        and (key.tag == _MERGE or (not key.tag and key.style is None))
    )


def _merged(node: yaml.Node) -> Iterator[yaml.MappingNode]:
    """Yield the mappings that a `<<` names, the first one last: it takes precedence."""
    sources = reversed(node.value) if isinstance(node, yaml.SequenceNode) else [node]
    for source in sources:
        if not isinstance(source, yaml.MappingNode):
            raise ValueFault("merge", "", source)
        yield source


def key_of(node: yaml.Node) -> str:
    """Return a key as the text that it becomes in JSON: `y` is "true", `1.10` is "1.1".

    Raises
    ------
    ValueFault
        Null, a list, an object, or a number beyond 63 bits.
    """
    if not isinstance(node, yaml.ScalarNode):
        raise ValueFault("key", "", node)
    plain = scalar(node)
    if isinstance(plain, bool):
        return "true" if plain else "false"
    if isinstance(plain, float):
        return _float_key(plain)
    if plain is None or (isinstance(plain, int) and plain >= _INT64):
        raise ValueFault("key", node.value or "~", node)
    return str(plain)


def _float_key(number: float) -> str:
    """Write a number as Go's `FormatFloat(number, 'g', -1, 32)`: the shortest text of its 32 bits."""
    if math.isnan(number):
        return ".nan"
    try:
        (narrow,) = struct.unpack("f", struct.pack("f", number))
    except OverflowError:
        narrow = math.copysign(math.inf, number)
    if math.isinf(narrow):
        return ".inf" if narrow > 0 else "-.inf"
    texts = (f"{narrow:.{digits - 1}e}" for digits in range(1, 10))
    text = next(item for item in texts if struct.pack("f", float(item)) == struct.pack("f", narrow))
    mantissa, _, exponent = text.partition("e")
    if -4 <= int(exponent) < 6:
        return f"{Decimal(text):f}"
    return f"{mantissa}e{int(exponent):+03d}"


def scalar(node: yaml.ScalarNode) -> Any:
    """Return what a scalar is: None, bool, int, float (endless ones too) or text.

    Raises
    ------
    ValueFault
        Its tag says otherwise.
    """
    if not node.tag and node.style is not None:
        return node.value
    if node.tag == _BINARY:
        return _binary(node)
    wanted = _TYPED.get(node.tag)
    if (node.tag and wanted is None) or wanted == "str":
        return node.value
    kind, plain = _resolve(node.value)
    if wanted == "timestamp" and _DATE.fullmatch(node.value):
        return node.value
    if wanted == "float" and kind == "int" and -_INT64 <= plain < _INT64:
        return float(plain)
    if wanted not in (None, kind):
        raise ValueFault("tag", f"!!{wanted}", node)
    return plain


def _resolve(text: str) -> tuple[str, Any]:
    """Return the kind and the value of a plain scalar; dates are text."""
    if text in _WORDS:
        word = _WORDS[text]
        return ("null" if word is None else "bool" if isinstance(word, bool) else "float"), word
    if text[0] == ".":
        return _finite(text, text) if _POINT.fullmatch(text) else ("str", text)
    if text[0] not in "+-0123456789":
        return "str", text
    bare = text.replace("_", "")
    if (found := _INTEGER.fullmatch(bare)) is not None:
        base = found.lastgroup or "dec"
        whole = int(found[1] + found[base], _BASES[base])
        if -_INT64 <= whole < (_INT64 if found[1] else _UINT64):
            return "int", whole
    return _finite(text, bare) if _FLOAT.fullmatch(bare) else ("str", text)


def _finite(text: str, bare: str) -> tuple[str, Any]:
    number = float(bare)
    return ("str", text) if math.isinf(number) else ("float", number)


def _each_byte(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    return "\ufffd" * (error.end - error.start), error.end


codecs.register_error("k8s-helpers-each-byte", _each_byte)


def _binary(node: yaml.ScalarNode) -> str:
    """Return the text of bytes in base64; what is no UTF-8 is lost, as in Go's JSON: one U+FFFD for each byte."""
    text = node.value.replace("\n", "").replace("\r", "")
    try:
        return base64.b64decode(text, validate=True).decode("utf-8", "k8s-helpers-each-byte")
    except (binascii.Error, ValueError):
        raise ValueFault("tag", "!!binary", node) from None


def json_number(plain: Any, node: yaml.Node) -> Any:
    """Return a scalar as JSON writes it and Kubernetes reads it back: 1e3 is the whole number 1000.

    Raises
    ------
    ValueFault
        Endless, or no number.
    """
    if isinstance(plain, bool) or not isinstance(plain, int | float):
        return plain
    if isinstance(plain, int) and -_INT64 <= plain < _INT64:
        return plain
    number = float(plain)
    if not math.isfinite(number):
        raise ValueFault("number", str(getattr(node, "value", plain)), node)
    if number.is_integer() and abs(number) < 1e21:
        return int(Decimal(repr(number)))
    return number
