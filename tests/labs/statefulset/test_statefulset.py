"""A StatefulSet's life, on runs whose every pod is known beforehand."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

import pytest
import synthetic
from synthetic import Pod

from k8s_helpers import labs
from k8s_helpers.labs.statefulset import summarize as statefulset_summary
from k8s_helpers.labs.statefulset.codes import Claims, IdentityMoment, NameAnswer, PodIdentity
from k8s_helpers.measure.recording import Mark, Recording, Run


def identity(moment: IdentityMoment, pod: str, uid: str, *notes: str) -> PodIdentity:
    return PodIdentity(moment, pod, uid, "10.0.0.1", f"notes-{pod}", notes)


def run(name: str, pods: list[Pod], *facts: tuple[float, str, object], **times: float) -> Run:
    """Return a run of two replicas with the marks at `times` and those that hold facts."""
    marks = [Mark(at_s, kind.replace("_", "-")) for kind, at_s in times.items()]
    marks = [replace(mark, detail="base-1") if mark.kind == "delete" else mark for mark in marks]
    marks += [Mark(at_s, kind, "", asdict(noted)) for at_s, kind, noted in facts]  # type: ignore[call-overload]
    made = synthetic.run(name, lambda at_s: "v1", pods, (), replicas=2)
    return replace(made, marks=tuple(sorted(marks, key=lambda mark: mark.at_s)))


def ordered() -> Run:
    """Return base-0, then base-1 once it is ready; base-1 dies at 5 s and comes back with its note."""
    pods = [
        Pod("base-0", "v1", 1.0, 2.0, 12.0, 13.0),
        Pod("base-1", "v1", 2.5, 3.0, 5.0, 5.5),
        Pod("base-1", "v1", 5.6, 7.0, 10.0, 10.5),
    ]
    facts = (
        (4.0, "identity", identity(IdentityMoment.BORN, "base-0", "u0", "écrite dans base-0")),
        (4.0, "identity", identity(IdentityMoment.BORN, "base-1", "u1", "écrite dans base-1")),
        (4.2, "dns", NameAnswer("base-1.base", None, ())),
        (4.6, "dns", NameAnswer("base-1.base", "base-1", ("base",))),
        (8.0, "identity", identity(IdentityMoment.REPLACED, "base-0", "u0", "écrite dans base-0")),
        (8.0, "identity", identity(IdentityMoment.REPLACED, "base-1", "u2", "écrite dans base-1")),
        (16.0, "claims", Claims(("notes-base-0", "notes-base-1"))),
    )
    times = {"apply": 0.5, "complete": 3.2, "delete": 5.0, "replaced": 7.2}
    made = run("ordered", pods, *facts, **times, partition=9.0, update=11.0, updated=14.0)
    # Two lives of one name are two pods.
    events = tuple(
        replace(event, uid="uid-new") if event.pod == "base-1" and event.at_s > 5.5 else event
        for event in made.pods
    )
    return replace(made, pods=events)


def test_order_names_and_notes_of_a_statefulset_are_read() -> None:
    summary = statefulset_summary(ordered())
    assert (summary.created, summary.waits, summary.at_once) == (("base-0", "base-1"), True, False)
    assert (summary.same_name, summary.same_uid, summary.same_claim) == (True, False, True)
    assert (summary.kept_notes, summary.own_notes, summary.claims) == (True, True, 2)
    assert (summary.partitioned, summary.updated) == (("base-1",), ("base-0",))
    assert (summary.name_before_service, summary.name_after_service) == (None, "base-1")
    assert summary.ready_s == pytest.approx(2.7) and summary.replaced_s == pytest.approx(2.2)


@pytest.mark.parametrize(
    ("created_s", "words"),
    [(2.5, "créés un par un"), (1.9, "créés tous à la fois"), (2.0, "créés un par un")],
)
def test_whether_pods_wait_for_each_other_is_read_from_their_lives(
    created_s: float, words: str
) -> None:
    pods = [Pod("base-0", "v1", 1.0, 2.0), Pod("base-1", "v1", created_s, 4.0)]
    made = Recording("statefulset", "kind", "v1", (run("parallel", pods, apply=0.5),))
    assert words in labs.statefulset.draw(made).alternative


def test_a_pod_that_keeps_its_name_but_not_its_notes_is_told() -> None:
    made = ordered()
    marks = tuple(
        replace(mark, facts={**mark.facts, "notes": []}) if mark.at_s == 8.0 else mark
        for mark in made.marks
    )
    chart = labs.statefulset.draw(
        Recording("statefulset", "kind", "v1", (replace(made, marks=marks),))
    )
    assert "même nom, notes perdues" in chart.alternative
    assert "base-1 seul (partition), puis base-0" in chart.alternative


def test_an_update_that_changes_names_is_told() -> None:
    pods = [Pod("base-a", "v1", 1.0, 2.0, 6.0, 7.0), Pod("base-b", "v2", 6.0, 6.5)]
    made = run("deployment", pods, update=5.0, updated=8.0)
    assert statefulset_summary(made).renamed
    chart = labs.statefulset.draw(Recording("statefulset", "kind", "v1", (made,)))
    assert "nouveaux noms" in chart.alternative


def test_a_recording_of_format_1_tells_the_same() -> None:
    old = Recording.load(Path(__file__).with_name("format_1.json"))
    kept = labs.kept("statefulset", "embedded")
    assert labs.summarize(old) == labs.summarize(kept)
    assert labs.draw(old).alternative == labs.draw(kept).alternative
