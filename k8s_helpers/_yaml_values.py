"""What the tree of a YAML document means as JSON, as `sigs.k8s.io/yaml` says, by which kubectl reads manifests.

That is go-yaml v2 (`y` is true, `08080` is 8080, `1:30` is text, of `<<` and a field the later counts), then JSON: keys
become text, `.inf` has no place in it, and 1e3 is written 1000. `tests/unit/test_yaml.py` compares with kubectl's own.

Sources: https://github.com/yaml/go-yaml/blob/v2.4.4/resolve.go,
https://github.com/kubernetes-sigs/yaml/blob/v1.6.0/yaml.go
"""

from __future__ import annotations

import base64
import binascii
import codecs
import contextlib
import math
import re
import struct
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import yaml

_TAG = "tag:yaml.org,2002:"
_TYPED = {f"{_TAG}{name}": name for name in ("str", "bool", "int", "float", "null", "timestamp")}
_BINARY, _MERGE = f"{_TAG}binary", f"{_TAG}merge"
_WORDS: dict[str, bool | float | None] = {
    **{word: True for one in ("y", "yes", "true", "on") for word in (one, one.title(), one.upper())},
    **{word: False for one in ("n", "no", "false", "off") for word in (one, one.title(), one.upper())},
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
    text = next(one for one in texts if struct.pack("f", float(one)) == struct.pack("f", narrow))
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
