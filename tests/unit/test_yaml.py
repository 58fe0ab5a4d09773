"""YAML as kubectl v1.37 reads it: what it makes of some six hundred texts, written down by its own code.

`yaml_by_kubectl.json` holds each text with its documents, or null where it is refused. It was made by a Go program
with `k8s.io/apimachinery` v0.37.0 and `sigs.k8s.io/yaml` v1.6.0 that does what kubectl does with a file
(`StreamVisitor` of `k8s.io/cli-runtime`): `NewYAMLOrJSONDecoder(reader, 4096)`, `Decode` into a `runtime.RawExtension`
until the end, leaving out what is empty or null; then `json.Unmarshal` of apimachinery and `json.Marshal`, as the
object is when it is sent.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from k8s_helpers.kube import yaml as _yaml

KUBECTL: list[tuple[str, list[Any] | None]] = json.loads(
    Path(__file__).with_name("yaml_by_kubectl.json").read_text()
)
MORE_THAN_KUBECTL = {
    "a: 1\na: 2\n": "the later counts",
    "1: a\n1: b\n": "the later counts",
    "y: a\nyes: b\n": "the later counts",
    "a: {b: 1, b: 2}\n": "the later counts",
    '{"a": 1, "a": 2}\n': "the later counts",
    "a: 1\n...\nb: 2\n": "dropped",
    " a: 1\nb: 2\n": "dropped",
}
"""What kubectl takes and we refuse: with what it does with it in silence."""


def exact(value: Any) -> str:
    """Return a value as text in which 1 and 1.0 differ."""
    return json.dumps(value, sort_keys=True)


@pytest.mark.parametrize(
    ("text", "expected"), KUBECTL, ids=[repr(text)[:60] for text, _ in KUBECTL]
)
def test_a_text_means_what_it_means_to_kubectl(text: str, expected: list[Any] | None) -> None:
    if expected is None or text in MORE_THAN_KUBECTL:
        with pytest.raises(yaml.YAMLError):
            list(_yaml.documents(text))
        return
    found = [document.value for document in _yaml.documents(text)]
    assert exact([value for value in found if value is not None]) == exact(expected)


def test_aliases_cannot_make_a_huge_object_of_a_small_text() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9)]
    with pytest.raises(yaml.YAMLError, match="aliases"):
        list(_yaml.documents("\n".join(lines)))


@pytest.mark.parametrize("before", ["", "a: 1\n---\n", '{"a": 1}\n', '{"a": 1}\n---\n# c\n---\n'])
def test_marks_count_from_the_beginning_of_the_text(before: str) -> None:
    text = f"{before}b:\n  c: 1\n"
    *_, last = _yaml.documents(text)
    assert isinstance(last.node, yaml.MappingNode)
    key, value = last.node.value[0][1].value[0]
    assert key.start_mark.line == text.count("\n") - 1
    assert value.start_mark.column == 5
