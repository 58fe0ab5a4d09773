"""Shares of requests, and what chance would give, on runs whose every number is known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import synthetic
from synthetic import Pod

from k8s_helpers import labs
from k8s_helpers.labs.balancing import shares
from k8s_helpers.labs.balancing.summary import binomial_interval
from k8s_helpers.labs.balancing.summary import to_story as balancing_story
from k8s_helpers.measure.recording import EndpointsEvent, Mark, Recording, Run

IP = {
    "name": "vitrine",
    "type": "NodePort",
    "cluster_ip": "10.0.0.1",
    "port": 80,
    "node_port": 30000,
}
TYPES = [
    {**IP, "external": None, "alias": None},
    {**IP, "type": "LoadBalancer", "external": None, "alias": None},
    {"name": "x", "type": "ExternalName", "alias": "base.exemple.fr"}
    | dict.fromkeys(("cluster_ip", "port", "node_port", "external")),
]


def counted(name: str, pod: Callable[[int], str], **parameters: Any) -> Run:
    run = synthetic.run(name, lambda at_s: "v1", [], (), replicas=3, **parameters)
    return replace(
        run, requests=tuple(replace(one, pod=pod(n)) for n, one in enumerate(run.requests))
    )


def recording(spread: Callable[[int], str] = lambda n: "abc"[(n // 2) % 3]) -> Recording:
    """Return 1000 answers spread over three pods, 1000 of one pod, and a pod deleted at 4 s that leaves at 4.2 s."""
    dies = synthetic.run(
        "pod-dies",
        lambda at_s: "v1",
        [Pod("a", "v1", -9.0, -6.0, 4.0, 6.0), Pod("b", "v1", -9.0, -6.0)],
        (),
        service="vitrine",
        addresses_before=IP,
        addresses_after=IP,
    )
    endpoints = (
        EndpointsEvent(-1.0, "vitrine", ("a", "b")),
        EndpointsEvent(4.25, "vitrine", ("b",)),
    )
    dies = replace(dies, marks=(Mark(4.0, "delete", "a"),), endpoints=endpoints)
    types = synthetic.run("types", lambda at_s: "v1", [], (), end_s=1.0, types=TYPES)
    runs = (counted("new-connections", spread), counted("keep-alive", lambda n: "a"), dies, types)
    return Recording("balancing", "embedded", "v1", runs)


@pytest.mark.parametrize(
    ("draws", "chance", "interval"),
    # scipy.stats.binom.ppf([0.0005, 0.9995], draws, chance)
    [(100, 0.5, (34, 66)), (240, 1 / 3, (57, 105)), (0, 0.5, (0, 0)), (7, 1.0, (7, 7))],
)
def test_the_interval_holds_what_chance_gives(
    draws: int, chance: float, interval: tuple[int, int]
) -> None:
    low, high = binomial_interval(draws, chance)
    assert (low, high) == pytest.approx(interval, abs=1)


def test_shares_are_counted() -> None:
    found = shares(recording().run("new-connections"))
    assert found.answers == {"a": 334, "b": 334, "c": 332}
    assert (found.longest_row, found.fair) == (2, True)


def test_a_service_that_favours_a_pod_is_not_fair() -> None:
    found = shares(counted("new-connections", lambda n: "abcaaa"[n % 6]))
    assert not found.fair


def test_the_story_tells_random_kept_and_gone() -> None:
    story = balancing_story(recording())
    assert story.verdicts["new-connections.in-turn"] is False
    assert story.verdicts["keep-alive.one-pod"] is True
    assert story.verdicts["pod-dies.same-addresses"] is True
    assert story.verdicts["types.LoadBalancer"] == ("cluster_ip", "node_port")
    assert story.verdicts["types.ExternalName"] == ("alias",)
    assert story.durations_s == {"pod-dies.left-endpoints": 0.25}
    turns = balancing_story(recording(lambda n: "abc"[n % 3]))
    assert turns.verdicts["new-connections.in-turn"] is True


def test_the_figure_shows_the_interval_and_the_table_says_pending() -> None:
    chart = labs.balancing.draw(recording())
    assert "au hasard" in chart.alternative and "aucune adresse ne change" in chart.alternative
    heights = [bar.get_height() for bar in chart.axes[0].containers[0]]
    assert heights == [334, 334, 332]
    assert [row[-1] for row in labs.balancing.tabulate(recording()).rows] == [
        "–",
        "<pending>",
        "base.exemple.fr",
    ]


def test_a_figure_of_the_first_run_alone_is_drawn_while_the_others_go_on() -> None:
    whole = recording()
    assert len(labs.balancing.draw(replace(whole, runs=whole.runs[:1])).axes) == 1


def test_the_figure_is_drawn_before_the_addresses_are_looked_at_again() -> None:
    whole = recording()
    dies = whole.run("pod-dies")
    known = {name: one for name, one in dies.parameters.items() if name != "addresses_after"}
    going_on = replace(dies, parameters=known)
    chart = labs.balancing.draw(replace(whole, runs=(*whole.runs[:2], going_on)))
    assert "mesure en cours" in chart.alternative
    assert "a changé" not in chart.alternative


def test_a_pod_that_nobody_asked_has_its_name_too() -> None:
    kept = replace(
        counted("keep-alive", lambda n: "a"),
        endpoints=(EndpointsEvent(-1.0, "vitrine", ("b", "a", "c")),),
    )
    chart = labs.balancing.draw(replace(recording(), runs=(kept,)))
    assert [label.get_text() for label in chart.axes[0].get_xticklabels()] == ["a", "b", "c"]
