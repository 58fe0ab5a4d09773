"""Who can read a Secret: what is said where etcd gives no access, or keeps it encrypted."""

from __future__ import annotations

from dataclasses import replace

import pytest

from k8s_helpers import labs
from k8s_helpers._errors import RecordingError
from k8s_helpers.draw import style
from k8s_helpers.measure.recording import Recording, Run
from k8s_helpers.measure.secret_reads import readable


def test_bytes_are_shown_where_they_can_be_read() -> None:
    assert readable(b"k8s\x00\n\xc3v1") == "k8s···v1"


def test_nothing_is_said_of_an_etcd_that_nobody_could_look_into() -> None:
    kept = labs.kept("secrets", "kind")
    (run,) = kept.runs
    assert "dans etcd, il est en clair" in labs.draw(kept).alternative
    without = replace(kept, runs=(replace(run, attempts=run.attempts[:-1]),))
    assert "etcd" not in labs.draw(without).alternative
    hidden = replace(run.attempts[-1], ok=False, answer="encrypted")
    encrypted = replace(kept, runs=(replace(run, attempts=(*run.attempts[:-1], hidden)),))
    assert "dans etcd, il est chiffré" in labs.draw(encrypted).alternative


def test_nothing_tried_is_said() -> None:
    empty = Recording(
        "secrets", "kind", "v1.37.0", (Run("secrets", "2026-01-01T10:00:00+00:00", 1.0),)
    )
    with pytest.raises(RecordingError, match="aucun essai"):
        labs.draw(empty)


def test_a_secret_that_a_stranger_reads_is_bad_news_and_a_refusal_is_none() -> None:
    table = labs.tabulate(labs.kept("secrets", "embedded"))
    assert table is not None
    rows = [(who, answer) for who, _, answer, _ in table.rows]
    assert rows[:2] == [
        ("Qui voit le YAML", "⚠ lu"),
        ("Compte sans droit", "✔ refusé (403)"),
    ]
    rightful = [answer for who, answer in rows if who == "Compte au droit précis"]
    assert rightful == ["✔ lu", "✔ refusé (403)"]
    assert rows[-1] == ("Qui a accès à etcd", "⚠ en clair")
    html = table._repr_html_()
    assert html.count(style.VERMILION) == 3 and html.count(style.GREEN) == 4
