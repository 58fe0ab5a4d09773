"""A node that joins: what a recording tells whose every number is known, and what makes no sense to ask."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from k8s_helpers import charts, experiments, timeline
from k8s_helpers._errors import RecordingError, UsageError
from k8s_helpers.embedded import added_node
from k8s_helpers.embedded.config import ClusterConfig
from k8s_helpers.recording import Mark, PodEvent, PodEventKind, Recording, Run

MARKS = ((0.2, "apply"), (1.0, "add"), (2.0, "joined"), (3.5, "placed"), (6.0, "remove"))
ONE_CORE = "0/1 nodes are available: 1 Insufficient cpu."


def _pod(name: str, *steps: tuple[float, PodEventKind, str]) -> list[PodEvent]:
    return [PodEvent(at_s, name, name, kind, "receipt", detail=d) for at_s, kind, d in steps]


def run() -> Run:
    """Return three pods: one placed at once, one placed on the node that joins and evicted, one that waits on."""
    pods = [
        *_pod("a", (0.2, "created", ""), (0.3, "scheduled", "n1"), (0.6, "ready", "")),
        *_pod(
            "b",
            (0.2, "created", ""),
            (2.1, "scheduled", "n2"),
            (3.5, "ready", ""),
            (6.1, "terminating", ""),
            (6.4, "deleted", ""),
        ),
        *_pod("c", (0.2, "created", "")),
        *_pod("b2", (6.2, "created", "")),
    ]
    marks = tuple(Mark(at_s, kind) for at_s, kind in (*MARKS, (7.5, "removed")))
    told = {
        "nodes": ["n1"],
        "joined": "n2",
        "replicas": 3,
        "request_m": 800,
        "message": ONE_CORE,
        "nodes_after": ["n1"],
    }
    return Run(
        "noeud-ajoute", "2026-01-01T00:00:00+00:00", 9.0, told, pods=tuple(pods), marks=marks
    )


def recording(one: Run | None = None) -> Recording:
    return Recording("added_node", "embedded", "v1.37.0", (one or run(),))


def test_who_waits_who_lands_and_what_is_left() -> None:
    found = timeline.added_node_summary(run())
    assert (found.waiting, found.landed, found.still_waiting, found.waiting_after) == (2, 1, 1, 2)
    assert (found.joined_s, found.placed_s, found.left_s) == (1.0, 2.5, 1.5)
    assert found.gone


def test_the_story_tells_a_node_that_stayed() -> None:
    stayed = replace(run(), parameters={**run().parameters, "nodes_after": ["n1", "n2"]})
    tell = timeline.STORIES["added_node"]
    assert tell(recording()).verdicts["nœud parti"] is True
    differences = list(timeline.differences(tell(recording()), tell(recording(stayed))))
    assert [one.name for one in differences] == ["nœud parti"]


def test_the_chart_tells_the_result_in_words() -> None:
    words = charts.added_node(recording()).alternative.replace("\N{NO-BREAK SPACE}", " ")
    assert "2 pods sur 3 sans nœud" in words
    assert "1 y est prêt en 2,5 s, 1 attend encore" in words
    assert "Insufficient cpu" in words


def test_a_run_that_goes_on_is_drawn_too() -> None:
    early = replace(run(), parameters={"nodes": ["n1"], "replicas": 3}, marks=(), ended_s=1.0)
    assert "aucun nœud n’est venu" in charts.added_node(recording(early)).alternative
    with pytest.raises(RecordingError):
        charts.added_node(Recording("added_node", "embedded", "v1", ()))


@pytest.mark.parametrize("wrong", [{"waiting": 0}, {"waiting": 13}, {"stays_s": 0.5}])
def test_numbers_out_of_bounds_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(UsageError):
        experiments.added_node(**wrong)  # type: ignore[arg-type]


def test_a_node_that_joins_takes_the_next_name_and_is_found_after_a_death(tmp_path: Path) -> None:
    folder = str(tmp_path)
    config = ClusterConfig("c", folder, folder, 0, "v1.37.0", folder, 1, 2, 3, 4, (5,))
    more = added_node.with_one_more(config, 6)
    assert more.node_names == ("c-node-1", "c-node-2") and config.node_names == ("c-node-1",)
    for name in more.node_names:
        added_node.announce(config, name)
    config.pki.mkdir()
    (config.pki / "c-node-2.key").touch()
    assert added_node.left_behind(config) == ("c-node-2",)
    added_node.delete_files(config, "c-node-2")
    assert added_node.left_behind(config) == () and list(config.pki.iterdir()) == []
