"""A bad version and the way back, on runs whose every number is known."""

from __future__ import annotations

from dataclasses import replace

import synthetic
from synthetic import Pod

from k8s_helpers import labs
from k8s_helpers.labs.rollback import summarize as rollback_summary
from k8s_helpers.labs.rollback.summary import to_story as rollback_story
from k8s_helpers.measure.recording import PodEvent, Recording, Run

MARKS = ((4.0, "apply"), (10.0, "undo"), (12.0, "complete"))
OLD = {"number": 2, "cause": "v2", "replica_set": "r2", "replicas": 0, "image": "vitrine:v2"}
AFTER = [OLD, {**OLD, "number": 3, "cause": "v1", "replicas": 3, "image": "vitrine:v1"}]


def blocked() -> Run:
    """Return a bad pod that dies twice and is never ready: the old ones stay."""
    pods = [
        *(Pod(f"a{i}", "v1", -9.0, -6.0) for i in range(3)),
        Pod("b", "v2", 4.1, None, 10.1, 12.0),
    ]
    run = synthetic.run("crash", lambda at_s: "v1", pods, MARKS, history_after=AFTER)
    deaths = tuple(
        PodEvent(at_s, "b", "uid-b", "died", "receipt", "v2", "vitrine", "Error 2")
        for at_s in (4.5, 5.5, 11.0)
    )
    return replace(run, pods=(*run.pods, *deaths))


def replaced() -> Run:
    """Return bad pods that count as ready: nobody is answered from 5 to 11 s."""
    pods = [Pod(f"a{i}", "v1", -9.0, -6.0, 5.0, 6.0) for i in range(3)]
    pods += [Pod(f"b{i}", "v2", 4.1, 4.2, 11.0, 12.0) for i in range(3)]
    pods += [Pod(f"c{i}", "v1", 10.1, 11.0) for i in range(3)]
    return synthetic.run(
        "no-probe",
        lambda at_s: "!refused" if 5 <= at_s < 11 else "v1",
        pods,
        MARKS,
        history_after=AFTER,
    )


def test_a_version_that_is_never_ready_hurts_nobody() -> None:
    found = rollback_summary(blocked())
    assert (found.failed, found.bad_ready, found.old_left) == (0, 0, 0)
    assert (found.back_s, found.revisions) == (2.0, (2, 3))


def test_a_version_without_probe_replaces_all() -> None:
    found = rollback_summary(replaced())
    assert (found.failed, found.bad_ready, found.old_left) == (300, 3, 3)
    assert (found.outage_s, round(found.recovered_s, 2)) == (6.0, 0.99)


def test_the_story_and_the_figure_tell_them_apart() -> None:
    recording = Recording("rollback", "embedded", "v1", (blocked(), replaced()))
    story = rollback_story(recording)
    assert story.verdicts["crash.loses-requests"] is False
    assert story.verdicts["no-probe.interrupts"] is True
    chart = labs.rollback.draw(recording)
    assert "300\u00a0requêtes perdues" in chart.alternative
    crosses = [line for ax in chart.axes for line in ax.lines if line.get_marker() == "x"]
    assert [list(line.get_xdata()) for line in crosses] == [[4.5, 5.5]]  # 11 s is its own end
    assert [row[0] for row in labs.rollback.tabulate(recording).rows] == ["2", "3"]


def test_the_legend_names_what_the_figure_has() -> None:
    kept = labs.kept("rollback", "embedded")
    without = replace(kept, runs=tuple(run for run in kept.runs if run.name != "crash"))

    def legend(recording: Recording) -> list[str]:
        return [text.get_text() for text in labs.draw(recording).legends[0].get_texts()]

    assert "conteneur mort" in legend(kept) and "conteneur mort" not in legend(without)
