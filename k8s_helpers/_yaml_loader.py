"""From YAML to its tree as libyaml's port in Go cuts it, which Kubernetes reads its manifests with.

PyYAML is stricter with tabs (`image:<tab>nginx` is right for kubectl) and looser elsewhere (`{a:}`); what differs is
written anew here after `scannerc.go` (https://github.com/yaml/go-yaml/blob/v2.4.4/scannerc.go). The tree is PyYAML's,
with its marks; tags are kept as written, and `_yaml_values` says what scalars mean.
"""

from __future__ import annotations

from typing import Any

import yaml
from yaml.composer import Composer
from yaml.parser import Parser
from yaml.reader import Reader
from yaml.resolver import BaseResolver
from yaml.scanner import Scanner, ScannerError

_BREAKS = "\r\n\x85\u2028\u2029"
_BLANKS = " \t"
_ENDS = "\0" + _BLANKS + _BREAKS
_FLOW_ENDS = ",?[]{}"


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
