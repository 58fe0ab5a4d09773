"""The course's drawings, from recordings made by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from matplotlib.colors import to_hex
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from k8s_helpers import charts
from k8s_helpers.charts import style
from k8s_helpers.recording import Mark, Recording, Run
from k8s_helpers.timeline.components import components_story
from k8s_helpers.timeline.journey import STEPS, in_order, journey_story, passages
from k8s_helpers.timeline.live_map import ways
from k8s_helpers.timeline.shared_pod import FACTS, shared_pod_story


def made(
    name: str, marks: tuple[Mark, ...] = (), provider: str = "kind", **found: Any
) -> Recording:
    run = Run(name, "2026-01-01T10:00:00+00:00", 5.0, found, marks=marks)
    return Recording(name, provider, "v1.37.0", (run,))


def boxes(chart: Any) -> dict[str, FancyBboxPatch]:
    return {
        patch.get_label().replace("\u00a0", " "): patch
        for patch in chart.axes[0].patches
        if isinstance(patch, FancyBboxPatch)
    }


def arrows(chart: Any) -> list[str]:
    return [
        patch.get_label() for patch in chart.axes[0].patches if isinstance(patch, FancyArrowPatch)
    ]


def voyage(*late: tuple[str, float], **revisions: int) -> Recording:
    """Return a journey whose steps are 0.1 s and one write apart from 1 s on, but for those given."""
    kinds = [step.kind for step in STEPS]
    times = {kind: 1 + 0.1 * index for index, kind in enumerate(kinds)} | dict(late)
    marks = tuple(Mark(at_s, kind, "2026-01-01T10:00:01Z") for kind, at_s in times.items())
    numbers = {kind: 700 + index for index, kind in enumerate(kinds[1:])} | revisions
    return made("journey", marks, revisions=numbers)


def test_steps_are_timed_from_the_apply() -> None:
    found = passages(voyage().runs[0])
    assert [round(one.since_s, 3) for one in found] == [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7]
    assert in_order(found)
    assert journey_story(voyage()).durations_s["du apply à Ready"] == pytest.approx(0.6)


def test_the_order_of_steps_is_that_of_their_writes_whatever_their_receipts() -> None:
    assert in_order(passages(voyage(("replicaset", 1.02)).runs[0]))
    assert in_order(passages(voyage(started=705, ready=705).runs[0]))  # one write told both
    assert not in_order(passages(voyage(replicaset=699).runs[0]))


def test_a_step_is_never_drawn_before_the_one_that_it_follows_from_where_receipts_crossed() -> None:
    found = {one.step.kind: one.since_s for one in passages(voyage(("replicaset", 1.02)).runs[0])}
    assert found["accepted"] == found["replicaset"] == pytest.approx(0.1)


def test_the_sequence_diagram_has_an_arrow_a_step_and_says_its_resolution() -> None:
    chart = charts.journey(voyage())
    words = [label for label in arrows(chart) if label]
    assert len(words) == len(STEPS)
    assert len(arrows(chart)) == len(STEPS) + 5  # who is woken by the API, once in a row
    assert "que 1 pour 7 étapes" in chart.alternative.replace("\u00a0", " ")


PLANE = dict.fromkeys(("kube-apiserver", "etcd", "kube-scheduler", "kube-controller-manager"), True)
NODE = {
    "name": "n1",
    "ready": True,
    "kubelet": "v1.37.0",
    "runtime": "containerd://2",
    "kernel": "6",
}


def parts(**plane: bool) -> Recording:
    health = PLANE | {name.replace("_", "-"): up for name, up in plane.items()}
    return made(
        "components",
        plane=health,
        addons={"kube-dns": True, "kube-proxy": True},
        nodes=[NODE],
        checks=3,
        failed_checks=[],
    )


def test_a_part_that_is_down_stands_out() -> None:
    chart = charts.components(parts(kube_scheduler=False))
    (down,) = [box for text, box in boxes(chart).items() if "✘" in text]
    assert "kube-scheduler" in down.get_label()
    assert down.get_linestyle() == "--"
    assert "kube-scheduler ne va pas bien" in chart.alternative
    assert components_story(parts(kube_scheduler=False)).verdicts["kube-scheduler va bien"] is False
    assert "tout va bien" in charts.components(parts()).alternative


def duo(**shared: bool) -> Recording:
    truth = {"network": True, "ports": True, "volume": True, "root": False, "processes": False}
    facts = [{"name": name, "shared": up, "detail": name} for name, up in (truth | shared).items()]
    times = (("apply", 1.0), ("ready", 2.5), ("delete", 3.0), ("gone", 4.0))
    return made("shared_pod", tuple(Mark(at_s, kind) for kind, at_s in times), facts=facts)


def test_what_two_containers_share_is_drawn_and_told() -> None:
    assert "ni processus ni racine" in charts.shared_pod(duo()).alternative
    assert "Contrairement" in charts.shared_pod(duo(processes=True)).alternative
    story = shared_pod_story(duo(processes=True))
    assert story.verdicts[f"partage {FACTS['processes']}"] is True
    assert story.durations_s == {"démarrage": 1.5, "disparition": 1.0}


def test_only_the_embedded_cluster_speaks_of_its_own_address() -> None:
    assert "BIND_ADDR" not in charts.shared_pod(duo()).alternative
    embedded = replace(duo(), provider="embedded")
    assert "BIND_ADDR" in charts.shared_pod(embedded).alternative


def town() -> Recording:
    rule = {"ingress": "entree", "host": "a.example"}
    service = {"type": "ClusterIP", "selector": {"app": "x"}}
    return made(
        "live_map",
        namespace="ici",
        routes=[
            {**rule, "path": "/", "service": "web"},
            {**rule, "path": "/vide", "service": "vide"},
            {**rule, "path": "/faute", "service": "inconnu"},
        ],
        services=[
            {**service, "name": "vide", "pods": []},
            {**service, "name": "web", "pods": ["p1", "p2"]},
        ],
        pods=[{"name": name, "ready": True, "labels": {"app": "x"}} for name in ("p2", "p1", "p3")],
    )


def test_a_map_links_rules_services_and_pods() -> None:
    assert [(one.service, one.pods) for one in ways(town())] == [
        ("web", ("p1", "p2")),
        ("vide", ()),
        ("", ()),
    ]
    chart = charts.live_map(town())
    assert len(arrows(chart)) == 4  # two rules to a Service that exists, one Service to two pods
    (empty,) = [box for text, box in boxes(chart).items() if "personne" in text]
    assert to_hex(empty.get_edgecolor()).upper() == style.VERMILION
    assert "a.example/faute va au Service inconnu" in chart.alternative
