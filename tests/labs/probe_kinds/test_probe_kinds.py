"""What each kind of probe sees, on a run made by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from k8s_helpers import labs
from k8s_helpers.labs.probe_kinds import summarize as kind_summaries
from k8s_helpers.labs.probe_kinds.summary import to_story as probe_kinds_story
from k8s_helpers.measure.recording import (
    ClusterEvent,
    EndpointsEvent,
    Mark,
    PodEvent,
    Recording,
    Run,
)


def run(*, blind: bool = True, kill_s: float = 25.2) -> Run:
    """Return a run in which "tcp" is told to fail at 4 s and broken at 20 s, and "http" at 4 s for both."""
    told = {"asks": "tcpSocket 9090", "unready_s": [1.0, 3.0], "kill_s": [4.0, 7.0]}
    events = [
        (
            "http",
            "Unhealthy",
            5.0,
            "Readiness probe failed: HTTP probe failed with statuscode: 503",
        ),
        ("http", "Killing", 9.9, "Container vitrine failed liveness probe, will be restarted"),
        ("tcp", "Unhealthy", 20.5 if blind else 6.0, "Readiness probe failed: dial tcp: refused"),
        (
            "tcp",
            "Killing",
            kill_s + 0.5,
            "Container vitrine failed liveness probe, will be restarted",
        ),
    ]
    pods = [
        *(
            ("http", kind, at_s)
            for kind, at_s in (("unready", 6.0), ("died", 9.5), ("restarted", 9.6))
        ),
        *(("tcp", kind, at_s) for kind, at_s in (("unready", 22.0), ("died", kill_s))),
        ("tcp", "restarted", kill_s + 0.1),
    ]
    behind = [("http", 0.0, True), ("tcp", 0.0, True), ("http", 6.1, False), ("http", 10.0, True)]
    behind += [("tcp", 22.1, False), ("tcp", 26.0, True)]
    marks = [("fail", "http", 4.0), ("break", "http", 4.0), ("broken", "http", 4.2)]
    marks += [("fail", "tcp", 4.2), ("break", "tcp", 20.0), ("broken", "tcp", 20.1)]
    return Run(
        "sondes",
        "2026-01-01T10:00:00+00:00",
        30.0,
        {"kinds": {"http": told, "tcp": told}},
        pods=tuple(
            PodEvent(at_s, f"sonde-{kind}", kind, what, "receipt", "v1")  # type: ignore[arg-type]
            for kind, what, at_s in pods
        ),
        endpoints=tuple(
            EndpointsEvent(at_s, f"sonde-{kind}", (f"sonde-{kind}",) if inside else ())
            for kind, at_s, inside in behind
        ),
        marks=tuple(Mark(at_s, what, kind) for what, kind, at_s in marks),
        events=tuple(
            ClusterEvent(at_s, "Pod", f"sonde-{kind}", reason, message)
            for kind, reason, at_s, message in events
        ),
    )


def test_instants_count_from_what_the_probe_asks() -> None:
    http, tcp = kind_summaries(run())
    assert (http.left_s, http.kill_s, http.back_s) == pytest.approx((2.1, 5.5, 6.0))
    assert (tcp.left_s, tcp.kill_s, tcp.back_s) == pytest.approx((2.1, 5.2, 6.0))
    assert http.passed and tcp.passed and (http.restarts, tcp.restarts) == (1, 1)
    assert http.said == "HTTP probe failed with statuscode: 503"


def test_a_probe_that_looks_elsewhere_is_told_from_one_that_sees() -> None:
    assert [one.sees_the_program for one in kind_summaries(run())] == [True, False]
    assert [one.sees_the_program for one in kind_summaries(run(blind=False))] == [True, True]


def test_a_kill_out_of_its_interval_is_not_as_predicted() -> None:
    assert all(one.as_predicted for one in kind_summaries(run()))
    assert [one.as_predicted for one in kind_summaries(run(kill_s=28.5))] == [True, False]
    verdicts = probe_kinds_story(Recording("probe_kinds", "kind", "v1.37.0", (run(),))).verdicts
    assert verdicts["tcp.order"] == ["left", "killed", "back"]


def test_the_figure_says_who_sees() -> None:
    words = labs.probe_kinds.draw(Recording("probe_kinds", "kind", "v1.37.0", (run(),))).alternative
    assert "http la voit\u00a0; tcp regarde ailleurs" in words
    assert "hors du Service après 2,1\u00a0s (prévu entre 1 et 3\u00a0s)" in words


def test_a_recording_of_format_1_holds_the_same_codes() -> None:
    old = Recording.load(Path(__file__).with_name("format_1.json"))
    assert old == labs.kept("probe_kinds", "kind")
