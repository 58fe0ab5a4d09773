"""Encryption at rest: the way back, and what a key is said to change."""

from __future__ import annotations

import pytest

from k8s_helpers import labs
from k8s_helpers.labs.encryption_at_rest.experiment import identity_first
from k8s_helpers.measure.recording import Attempt, Recording, Run

MOMENTS = ("without-encryption", "key-added", "rewritten-with-key", "rewritten-and-key-removed")


def recording(*in_clear: bool) -> Recording:
    """Return what was read at each moment: in clear or not in etcd, always by the API."""
    attempts: list[Attempt] = []
    for at_s, (moment, clear) in enumerate(zip(MOMENTS, in_clear, strict=True)):
        answer = "plaintext" if clear else "encrypted"
        attempts.append(Attempt(at_s, moment, "get-secret", True, "read", "sesame"))
        attempts.append(Attempt(at_s, moment, "look-into-etcd", clear, answer))
    run = Run("etcd", "2026-01-01T10:00:00+00:00", 5.0, attempts=tuple(attempts))
    return Recording("encryption_at_rest", "embedded", "v1.37.0", (run,))


def test_the_way_back_from_encryption_writes_in_clear_and_still_reads() -> None:
    text = (
        "resources: [{resources: [secrets], providers: [{secretbox: {keys: []}}, {identity: {}}]}]"
    )
    back = identity_first(text)
    assert back.index("identity") < back.index("secretbox")
    assert back.count("identity") == 1


@pytest.mark.parametrize(
    ("in_clear", "words"),
    [
        ((True, True, False, True), "ne change que ce qui est écrit ensuite"),
        ((True, False, False, True), "chiffre aussi ce qui était déjà écrit"),
        ((True, True, True, True), "restent en clair"),
        ((False, False, False, True), "ne dit pas ce que change la clé"),
    ],
)
def test_what_a_key_changes_is_read_in_etcd(in_clear: tuple[bool, ...], words: str) -> None:
    assert words in labs.draw(recording(*in_clear)).alternative


def test_what_etcd_keeps_in_clear_is_bad_news_and_what_it_encrypts_is_none() -> None:
    table = labs.tabulate(recording(True, True, False, True))
    assert table is not None
    in_etcd = [answer for _, what, answer, _ in table.rows if what == "lire la valeur dans etcd"]
    assert in_etcd == ["⚠ en clair", "⚠ en clair", "✔ chiffré", "⚠ en clair"]
