"""A node that joins: what a recording tells whose every number is known, and what makes no sense to ask."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from embedded_kubernetes.config import ClusterConfig
from embedded_kubernetes.control import added_node
from k8s_helpers import analysis, labs
from k8s_helpers._errors import RecordingError, UsageError
from k8s_helpers.measure.recording import Mark, PodEvent, PodEventKind, Recording, Run

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
    parameters = {
        "nodes": ["n1"],
        "joined": "n2",
        "replicas": 3,
        "request_m": 800,
        "message": ONE_CORE,
        "nodes_after": ["n1"],
    }
    return Run(
        "added-node", "2026-01-01T00:00:00+00:00", 9.0, parameters, pods=tuple(pods), marks=marks
    )


def recording(of: Run | None = None) -> Recording:
    return Recording("added_node", "embedded", "v1.37.0", (of or run(),))


def test_who_waits_who_lands_and_what_is_left() -> None:
    summary = labs.added_node.summarize(run())
    assert (summary.waiting, summary.landed, summary.still_waiting, summary.waiting_after) == (
        2,
        1,
        1,
        2,
    )
    assert (summary.joined_s, summary.placed_s, summary.left_s) == (1.0, 2.5, 1.5)
    assert summary.gone


def test_the_story_tells_a_node_that_stayed() -> None:
    stayed = replace(run(), parameters={**run().parameters, "nodes_after": ["n1", "n2"]})
    tell = labs.get("added_node").to_story
    assert tell(recording()).verdicts["node-gone"] is True
    differences = list(analysis.differences(tell(recording()), tell(recording(stayed))))
    assert [difference.name for difference in differences] == ["node-gone"]


def test_the_chart_tells_the_result_in_words() -> None:
    words = labs.added_node.draw(recording()).alternative.replace("\N{NO-BREAK SPACE}", " ")
    assert "2 pods sur 3 sans nœud" in words
    assert "1 y est prêt en 2,5 s, 1 attend encore" in words
    assert "Insufficient cpu" in words


def test_pods_that_stay_on_a_node_that_leaves_are_not_said_to_be_evicted() -> None:
    kept = tuple(event for event in run().pods if event.pod != "b" or event.at_s < 6)
    words = labs.added_node.draw(recording(replace(run(), pods=kept))).alternative
    assert "1 de ses pods n’a pas été expulsé" in words and "remplacés" not in words
    alone = tuple(event for event in run().pods if event.pod != "b2")
    words = labs.added_node.draw(recording(replace(run(), pods=alone))).alternative
    assert "ses pods, expulsés, ne sont pas tous remplacés" in words
    stayed = replace(run(), parameters={**run().parameters, "nodes_after": ["n1", "n2"]})
    assert "Le nœud n’est pas reparti" in labs.added_node.draw(recording(stayed)).alternative


def test_a_run_that_goes_on_is_drawn_too() -> None:
    early = replace(run(), parameters={"nodes": ["n1"], "replicas": 3}, marks=(), ended_s=1.0)
    assert "aucun nœud n’est venu" in labs.added_node.draw(recording(early)).alternative
    with pytest.raises(RecordingError):
        labs.added_node.draw(Recording("added_node", "embedded", "v1", ()))


@pytest.mark.parametrize("wrong", [{"waiting": 0}, {"waiting": 13}, {"stays_s": 0.5}])
def test_numbers_out_of_bounds_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(UsageError):
        labs.added_node.measure(**wrong)  # type: ignore[arg-type]


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


def test_a_recording_of_format_1_has_the_run_s_name_of_today() -> None:
    old = Recording.load(Path(__file__).with_name("format_1.json"))
    assert [run.name for run in old.runs] == ["added-node"]
    assert labs.summarize(old) == labs.summarize(labs.kept("added_node", "embedded"))
