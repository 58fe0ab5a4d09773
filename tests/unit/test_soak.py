"""What the soak concludes from its samples."""

from __future__ import annotations

from pathlib import Path

from benchmarks.soak import BAR, Held, Sample, draw, ratios, settled_s


def samples(minutes: float, growth_per_min: float) -> list[Sample]:
    """Return a run in which the node's memory grows from 40 MB on, and nothing else changes."""
    return [
        Sample(
            at_s,
            Held(40 + growth_per_min * at_s / 60, 60, 90, 4),
            Held(15, 17, 5, 1),
        )
        for at_s in range(0, round(60 * minutes), 5)
    ]


def test_what_grows_is_seen_and_what_does_not_is_not() -> None:
    steady, leaks = ratios(samples(30, 0.0)), ratios(samples(30, 1.0))
    assert set(steady.values()) == {1.0}
    assert leaks["node.pss_mb"] > 1.5 > BAR
    assert {name for name, ratio in leaks.items() if ratio != 1.0} == {"node.pss_mb"}


def test_a_start_is_not_compared_with() -> None:
    run = samples(30, 0.0)
    first = [Sample(one.at_s, Held(5, 5, 5, 1), one.supervisor) for one in run if one.at_s < 120]
    assert set(ratios([*first, *run[len(first) :]]).values()) == {1.0}
    assert settled_s(run) == 120.0
    assert settled_s(samples(2, 0.0)) < 60.0


def test_the_curve_is_drawn(tmp_path: Path) -> None:
    file = tmp_path / "made" / "endurance.png"
    draw(samples(2, 0.5), file)
    assert file.read_bytes().startswith(b"\x89PNG")
