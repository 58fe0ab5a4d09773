"""Self-healing on runs whose every number is known."""

from __future__ import annotations

from dataclasses import replace

import synthetic
from synthetic import Pod

from k8s_helpers import labs
from k8s_helpers.labs.self_healing import summarize as healing_summary
from k8s_helpers.labs.self_healing.summary import to_story as self_healing_story
from k8s_helpers.measure.recording import Mark, PodEvent, Recording, Run

OLD = [Pod(f"a{i}", "v1", -9.0, -6.0) for i in range(2)]


def replaced() -> Run:
    """Return a pod deleted at 4 s, gone at 5 s, whose replacement is ready at 7 s."""
    pods = [*OLD, Pod("a2", "v1", -9.0, -6.0, 4.0, 5.0), Pod("b", "v1", 4.1, 7.0)]
    return synthetic.run("pod", lambda at_s: "v1", pods, ((4.0, "delete"),))


def restarted() -> Run:
    """Return a container that dies at 4 s and is ready again at 6.5 s, in the same pod."""
    run = synthetic.run(
        "container",
        lambda at_s: "!refused" if 4 <= at_s < 4.2 else "v1",
        [*OLD, Pod("a2", "v1", -9.0, -6.0)],
        ((4.0, "kill"),),
    )
    later = [(4.1, "unready"), (4.5, "restarted"), (6.5, "ready")]
    events = tuple(PodEvent(at_s, "a2", "uid-a2", kind, "receipt", "v1") for at_s, kind in later)  # type: ignore[arg-type]
    return replace(run, pods=(*run.pods, *events))


def scaled() -> Run:
    """Return 3 pods, 4 from 5 s on, then 2 from 10 s on."""
    pods = [*OLD, Pod("a2", "v1", -9.0, -6.0, 10.0, 11.0), Pod("b", "v1", 4.1, 5.0, 10.0, 11.0)]
    run = synthetic.run("replicas", lambda at_s: "v1", pods, asked=[3, 4, 2])
    return replace(run, marks=(Mark(4.0, "scale", "4"), Mark(9.9, "scale", "2")))


def test_a_pod_is_replaced() -> None:
    found = healing_summary(replaced())
    assert (found.created, found.gone, found.restarts, found.same_pod) == (1, 1, 0, False)
    assert found.recovery_s == 3.0


def test_a_container_is_restarted_in_place() -> None:
    found = healing_summary(restarted())
    assert (found.created, found.gone, found.restarts, found.same_pod) == (0, 0, 1, True)
    assert found.recovery_s == 2.5
    assert found.failed == 10


def test_the_first_edit_of_the_count_is_timed() -> None:
    found = healing_summary(scaled())
    assert found.recovery_s == 1.0
    assert found.counts == (3, 4, 2)


def test_a_gap_that_stays_is_told() -> None:
    run = replaced()
    endless = replace(run, pods=tuple(one for one in run.pods if one.pod != "b"))
    assert healing_summary(endless).recovery_s is None
    story = self_healing_story(Recording("self_healing", "kind", "v1", (endless,)))
    assert story.verdicts["pod.recovered"] is False
    assert story.durations_s == {}


def test_the_figure_tells_pod_and_container_apart() -> None:
    chart = labs.self_healing.draw(
        Recording("self_healing", "embedded", "v1", (restarted(), replaced()))
    )
    assert "même pod, 1\u00a0redémarrage sur place" in chart.alternative
    assert "1\u00a0nouveau pod" in chart.alternative
    marked = [line for ax in chart.axes for line in ax.lines if line.get_marker() == "o"]
    assert [len(line.get_xdata()) for line in marked] == [1]


def words(run: Run) -> str:
    chart = labs.self_healing.draw(Recording("self_healing", "embedded", "v1", (run,)))
    return chart.alternative.replace("\u00a0", " ")


def test_a_cluster_that_does_not_follow_an_edited_count_is_told() -> None:
    assert healing_summary(scaled()).follows
    over = replace(scaled(), marks=(*scaled().marks, Mark(12.0, "recovered")))
    assert healing_summary(over).reached == (3, 4, 2)
    assert "le cluster suit : 3 → 4 → 2 pods" in words(over)
    stuck = replace(over, pods=tuple(event for event in over.pods if event.pod != "b"))
    assert healing_summary(stuck).reached == (3, 3, 2)
    assert "ne suit pas : 3 → 4 → 2 pods demandés, 3 → 3 → 2 prêts" in words(stuck)


def test_a_pod_that_is_not_the_same_any_more_is_told() -> None:
    events = replaced().pods
    assert "aucun nouveau pod" in words(
        replace(replaced(), pods=tuple(event for event in events if event.pod != "b"))
    )
    renamed = tuple(replace(event, pod="a2") if event.pod == "b" else event for event in events)
    assert "1 nouveau pod, le même nom" in words(replace(replaced(), pods=renamed))
    assert "1 nouveau pod, 0 redémarrage" in words(replace(replaced(), name="container"))
