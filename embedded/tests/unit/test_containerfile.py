"""The language of Containerfiles."""

from pathlib import Path

import pytest

from embedded_kubernetes.errors import ImageError
from embedded_kubernetes.node.images import containerfile

SOURCE = Path("/apps/vitrine/Containerfile")


def parse(text: str) -> containerfile.Containerfile:
    return containerfile.parse(text, SOURCE)


def test_stages_arguments_and_lines():
    file = parse(
        "# comment\nARG BASE_IMAGE=python:3\n\nFROM maven AS build\nRUN mvn package\n"
        "FROM ${BASE_IMAGE}\nCOPY --from=build --chmod=755 a b /app/\n"
    )
    assert [each.text for each in file.arguments] == ["BASE_IMAGE=python:3"]
    assert [stage.name for stage in file.stages] == ["build", "1"]
    copy = file.stages[1].body[0]
    assert (copy.line, copy.keyword, copy.text) == (7, "COPY", "a b /app/")
    assert (copy.flag("from"), copy.flag("chmod"), copy.flag("chown")) == ("build", "755", None)


def test_continued_lines_keep_the_first_number_and_drop_comments_between():
    file = parse("FROM busybox\nRUN one \\\n  # not this\n\n  && two\nUSER me")
    run, user = file.stages[0].body
    assert (run.line, run.text) == (2, "one && two")
    assert user.line == 6


@pytest.mark.parametrize(
    ("text", "line", "word"),
    [
        ("FROM busybox\nCOPPY a b", 2, "COPPY"),
        ("RUN ls\nFROM busybox", 1, "avant « FROM »"),
        ("# nothing", 1, "aucune instruction FROM"),
        ("FROM busybox\nONBUILD RUN ls", 2, "ONBUILD"),
        ('FROM busybox\nSHELL ["bash", "-c"]', 2, "SHELL"),
        ("FROM busybox\nRUN <<EOF\nls\nEOF", 2, "document intégré"),
        ("FROM busybox\nWORKDIR", 2, "WORKDIR"),
    ],
)
def test_a_mistake_names_file_line_and_what_was_found(text, line, word):
    with pytest.raises(ImageError) as raised:
        parse(text)
    assert raised.value.tried == f"Lire {SOURCE}, ligne {line}"
    assert word in raised.value.found
    assert raised.value.advice


def test_exec_and_shell_forms():
    assert containerfile.command('["python3", "-S", "/app/main.py"]') == (
        "python3",
        "-S",
        "/app/main.py",
    )
    assert containerfile.command("echo $HOME") == ("/bin/sh", "-c", "echo $HOME")
    assert containerfile.command("[ -f x ]") == ("/bin/sh", "-c", "[ -f x ]")
    assert containerfile.exec_form("[1]") is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$A-${A}x", "1-1x"),
        ("${B:-two}", "two"),
        ("${B:-$A}", "1"),
        ("${A:+set}${B:+set}", "set"),
        ("$UNKNOWN.", "."),
    ],
)
def test_variables(text, expected):
    assert containerfile.expand(text, {"A": "1", "B": ""}) == expected


def test_words_and_quotes():
    variables = {"A": "1 2"}
    assert containerfile.words("a\\ b \"x $A\" '$A' \\$A", variables) == [
        "a b",
        "x 1 2",
        "$A",
        "$A",
    ]
    assert containerfile.pairs('A=1 B="x y" C=$A', variables) == {"A": "1", "B": "x y", "C": "1 2"}
    assert containerfile.pairs("OLD the value", {}) == {"OLD": "the value"}
    assert containerfile.pairs("VERSION", {}) == {"VERSION": ""}


@pytest.mark.parametrize(
    ("path", "out"),
    [
        ("target/a.jar", True),
        ("src/target/a.jar", False),
        ("a.log", True),
        ("src/a.log", False),
        ("src/deep/er/x.tmp", True),
        ("keep.log", False),
        ("README.md", False),
    ],
)
def test_ignored_paths(path, out):
    patterns = ["# comment", "target/", "*.log", "**/*.tmp", "!keep.log"]
    assert containerfile.ignored(patterns, path) is out
