"""A short soak, so that the long one works when it is wanted."""

import pytest

from benchmarks import soak

pytestmark = pytest.mark.cluster


def test_a_short_soak_does_all_of_its_work_and_loses_no_component(tmp_path):
    figure = tmp_path / "endurance.png"
    rows = {row.what: row for row in soak.measure(0.5, figure)}
    assert len(rows) == len(soak.ACTORS) * len(soak.QUANTITIES) + 2
    # So short a run says little of growth; it says whether every part of the work is done.
    for what in ("attempts that failed", "components that died or hung"):
        (row,) = (row for words, row in rows.items() if what in words)
        assert row.ok, row
    assert figure.exists()
