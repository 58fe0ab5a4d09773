"""What the course quotes: each file of data names its source and its date."""

from __future__ import annotations

import datetime

import pytest

from k8s_helpers import quoted
from k8s_helpers._errors import UsageError
from k8s_helpers._quoted import FOLDER


@pytest.mark.parametrize("name", sorted(path.stem for path in FOLDER.glob("*.yaml")))
def test_every_file_says_who_and_when(name: str) -> None:
    found = quoted(name)
    assert isinstance(found.date, datetime.date) and len(found.source) > 20
    assert found.data
    assert found.credit.startswith("Source : ") and str(found.date.year) in found.credit


def test_an_unknown_file_lists_those_there_are() -> None:
    with pytest.raises(UsageError, match="as_a_service"):
        quoted("nulle_part")
