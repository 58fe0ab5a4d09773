"""Names of images."""

import pytest

from embedded_kubernetes.node.images.content.references import ReferenceFormatError, parse

DIGEST = "sha256:" + "7cc4b5ae" * 8


@pytest.mark.parametrize(
    ("text", "full", "familiar"),
    [
        ("busybox", "docker.io/library/busybox:latest", "busybox:latest"),
        ("docker.io/busybox:1.36", "docker.io/library/busybox:1.36", "busybox:1.36"),
        ("index.docker.io/library/x", "docker.io/library/x:latest", "x:latest"),
        ("team/app", "docker.io/team/app:latest", "team/app:latest"),
        ("library/a/b", "docker.io/library/a/b:latest", "library/a/b:latest"),
        ("localhost/vitrine:v2", "localhost/vitrine:v2", "localhost/vitrine:v2"),
        ("registry:5000/x", "registry:5000/x:latest", "registry:5000/x:latest"),
        ("[::1]:5000/x:1", "[::1]:5000/x:1", "[::1]:5000/x:1"),
        ("Upper/x", "Upper/x:latest", "Upper/x:latest"),
        (f"busybox:1@{DIGEST}", f"docker.io/library/busybox@{DIGEST}", f"busybox@{DIGEST}"),
    ],
)
def test_a_name_has_one_full_form(text, full, familiar):
    reference = parse(text)
    assert (reference.full, reference.familiar) == (full, familiar)
    assert parse(reference.full).full == full
    assert parse(reference.familiar).full == full


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "busyBox",
            "invalid reference format: repository name (library/busyBox) must be lowercase",
        ),
        ("x:", "invalid reference format"),
        ("", "invalid reference format"),
        ("a//b", "invalid reference format"),
        ("x:-1", "invalid reference format"),
        ("x\n", "invalid reference format"),
        ("../x", "invalid reference format"),
        ("x@sha256:abc", "invalid reference format"),
        ("x@sha256:" + "a" * 40, "invalid checksum digest length"),
        (
            "a" * 64,
            f"invalid repository name ({'a' * 64}), cannot specify 64-byte hexadecimal strings",
        ),
        ("b/" + "a" * 300, "repository name must not be more than 255 characters"),
    ],
)
def test_what_is_no_name_is_refused_in_the_engines_words(text, words):
    with pytest.raises(ReferenceFormatError) as raised:
        parse(text)
    assert str(raised.value) == words
