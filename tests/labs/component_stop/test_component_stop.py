"""A component's absence on runs whose every number is known."""

from __future__ import annotations

from dataclasses import replace

import synthetic
from synthetic import Pod

from k8s_helpers import labs
from k8s_helpers.labs.component_stop import summarize as stop_summary
from k8s_helpers.labs.component_stop.summary import to_story as component_stop_story
from k8s_helpers.labs.component_stop.summary import waits
from k8s_helpers.measure.recording import PodEvent, Recording, Run

MARKS = ((4.0, "stop"), (10.0, "start"), (12.0, "complete"))


def scheduler() -> Run:
    """Return two pods made at 4.5 s, while the scheduler is away from 4 to 10 s, that get their node at 10.5 s."""
    pods = [Pod("a", "v1", -9.0, -6.0), Pod("b", "v1", 4.5, 11.5), Pod("c", "v1", 4.5, 12.0)]
    run = synthetic.run("scheduler", lambda at_s: "v1", pods, MARKS, component="kube-scheduler")
    bound = [("a", -8.9), ("b", 10.5), ("c", 10.5)]
    events = tuple(
        PodEvent(at_s, name, f"uid-{name}", "scheduled", "receipt") for name, at_s in bound
    )
    return replace(run, pods=(*run.pods, *events))


def controllers() -> Run:
    """Return a pod deleted at 4.2 s whose replacement is made at 10.4 s; one request in three is lost meanwhile."""
    pods = [Pod(f"a{i}", "v1", -9.0, -6.0) for i in range(2)]
    pods += [Pod("a2", "v1", -9.0, -6.0, 4.2, 4.4), Pod("b", "v1", 10.4, 12.0)]
    run = synthetic.run(
        "controller-manager",
        lambda at_s: "!refused" if 4.2 <= at_s < 10.4 and round(at_s * 50) % 3 == 0 else "v1",
        pods,
        MARKS,
        component="kube-controller-manager",
    )
    events = tuple(
        PodEvent(one.at_s, one.pod, one.uid, "scheduled", "receipt")
        for one in run.pods
        if one.kind == "created"
    )
    return replace(run, pods=(*run.pods, *events))


def recording() -> Recording:
    return Recording("component_stop", "embedded", "v1", (scheduler(), controllers()))


def test_without_scheduler_pods_wait() -> None:
    found = stop_summary(scheduler())
    assert (found.pending, found.created, found.missing) == (2, 2, 0)
    assert (found.away_s, found.caught_up_s, found.failed) == (6.0, 2.0, 0)
    assert {uid: wait.length_s for uid, wait in waits(scheduler()).items()} == {
        "uid-b": 6.0,
        "uid-c": 6.0,
    }


def test_without_controllers_nobody_replaces_a_pod() -> None:
    found = stop_summary(controllers())
    assert (found.pending, found.created, found.missing) == (0, 0, 1)
    assert found.failed == 104


def test_the_story_tells_who_loses_requests() -> None:
    story = component_stop_story(recording())
    assert story.verdicts["scheduler.loses-requests"] is False
    assert story.verdicts["controller-manager.loses-requests"] is True
    assert story.durations_s == {
        "scheduler.catch-up": 2.0,
        "controller-manager.catch-up": 2.0,
    }


def test_the_figure_draws_who_waits_for_a_node() -> None:
    chart = labs.component_stop.draw(recording())
    waiting = [
        bar
        for ax in chart.axes
        for container in ax.containers
        for bar in container
        if bar.get_hatch() == "xxx"
    ]
    assert [bar.get_width() for bar in waiting] == [6.0, 6.0]
    assert "aucun remplaçant" in chart.alternative
