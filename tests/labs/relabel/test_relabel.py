"""A changed label on a run whose every number is known."""

from __future__ import annotations

from dataclasses import replace

import synthetic
from synthetic import Pod

from k8s_helpers import labs
from k8s_helpers.analysis.pods import in_service
from k8s_helpers.labs.relabel import summarize as relabel_summary
from k8s_helpers.labs.relabel.summary import to_story as relabel_story
from k8s_helpers.measure.recording import EndpointsEvent, Recording, Run


def moved() -> Run:
    """Return a pod `a0` that leaves its Service at 4.5 s; `b`, made at 4.2 s, is in it from 6 s on."""
    pods = [Pod("a0", "v1", -9.0, -6.0), Pod("a1", "v1", -9.0, -6.0), Pod("b", "v1", 4.2, 6.0)]
    run = synthetic.run(
        "relabel",
        lambda at_s: "v1",
        pods,
        ((4.0, "label"), (6.0, "replaced")),
        pod="a0",
        service="vitrine",
        owner_before="ReplicaSet/vitrine-1",
        owner_after=None,
        phase_after="Running",
    )
    requests = tuple(
        replace(one, pod="a0" if number % 2 and one.planned_s < 4.6 else "a1")
        for number, one in enumerate(run.requests)
    )
    endpoints = (
        EndpointsEvent(-1.0, "vitrine", ("a0", "a1")),
        EndpointsEvent(4.5, "vitrine", ("a1",)),
        EndpointsEvent(6.0, "vitrine", ("a1", "b")),
    )
    return replace(run, requests=requests, endpoints=endpoints)


def test_membership_of_the_service_is_read_from_its_endpoints() -> None:
    members = in_service(moved(), "vitrine")
    spans = {pod: [(each.start_s, each.end_s) for each in own] for pod, own in members.items()}
    assert spans == {
        "a0": [(0.0, 4.5)],
        "a1": [(0.0, 20.0)],
        "b": [(6.0, 20.0)],
    }


def test_a_pod_leaves_and_another_comes() -> None:
    found = relabel_summary(moved())
    assert (found.left_s, found.replaced_s, found.replacements) == (0.5, 2.0, ("b",))
    assert (found.alive, found.owner_after, found.answers_after) == (True, None, 0)


def test_a_pod_that_stays_in_its_service_is_told() -> None:
    run = moved()
    stays = replace(run, endpoints=run.endpoints[:1])
    assert relabel_summary(stays).left_s is None
    chart = labs.relabel.draw(Recording("relabel", "kind", "v1", (stays,)))
    assert "resté dans le Service" in chart.alternative
    assert (
        relabel_story(Recording("relabel", "kind", "v1", (stays,))).verdicts["leaves-service"]
        is False
    )


def test_answers_of_a_pod_that_is_out_are_counted() -> None:
    run = moved()
    late = replace(run.requests[-1], pod="a0")
    assert relabel_summary(replace(run, requests=(*run.requests[:-1], late))).answers_after == 1


def test_the_figure_draws_who_is_in_the_service() -> None:
    chart = labs.relabel.draw(Recording("relabel", "embedded", "v1", (moved(),)))
    bars = [
        (bar.get_x(), bar.get_width())
        for ax in chart.axes
        for container in ax.containers
        if container.get_label() == "in service"
        for bar in container
    ]
    assert bars == [(0.0, 4.5), (0.0, 20.0), (6.0, 14.0)]
    assert "toujours en vie" in chart.alternative


def test_the_figure_is_drawn_from_the_first_second_on() -> None:
    run = moved()
    known = {name: one for name, one in run.parameters.items() if not name.endswith("_after")}
    early = replace(run, parameters=known, marks=(), endpoints=run.endpoints[:1], ended_s=0.2)
    for requests in ((), run.requests[:5]):
        one = replace(early, requests=requests)
        chart = labs.relabel.draw(Recording("relabel", "embedded", "v1", (one,)))
        assert "mesure en cours" in chart.alternative
