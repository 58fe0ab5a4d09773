"""Variables out of a file, as the kubelet reads it."""

import pytest

from embedded_kubernetes.node.environment.env_files import EnvFileError, value_of


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("A='x y'\nB='z'\n", "x y"),
        ("# A='no'\n\n  \tA='after a comment'", "after a comment"),
        ("A='1' # why\n", "1"),
        ("A='$HOME `id` \\n'", "$HOME `id` \\n"),
        ("B='two\nlines'\nA='x'", "x"),
        ("A='two\n\nlines'\n", "two\n\nlines"),
        ("A= 'the shell reads this as empty'", ""),
        ("B='other'", ""),
        ("", ""),
        ("A='first'\nA='second'", "first"),
        ("A='found'\nno such form", "found"),
    ],
)
def test_a_value(text, value):
    assert value_of(text, "A") == value


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("B", "at line 1: missing '='"),
        ("\n='x'", "at line 2: empty variable name"),
        ("A ='x'", "at line 1: whitespace before '=' is not allowed"),
        ("A=x", "at line 1: value must be enclosed in single quotes"),
        ('A="x"', "at line 1: value must be enclosed in single quotes"),
        ("B='x'y\nA='z'", "at line 1: unexpected content after closing quote"),
        ("B='x\ny'z", "at line 2: unexpected content after closing quote"),
        ("A='x\ny\n", "starting at line 1: unclosed single quote"),
    ],
)
def test_another_form_is_refused(text, why):
    with pytest.raises(EnvFileError) as error:
        value_of(text, "A")
    assert str(error.value) == f"invalid environment variable format {why}"
