"""The map of a namespace, from recordings made by hand."""

from __future__ import annotations

from dataclasses import replace

from drawings import arrows, boxes, made
from matplotlib.colors import to_hex

from k8s_helpers import labs
from k8s_helpers.draw import style
from k8s_helpers.labs.live_map import ways
from k8s_helpers.measure.recording import Recording


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
    assert [(way.service, way.pods) for way in ways(town())] == [
        ("web", ("p1", "p2")),
        ("vide", ()),
        ("", ()),
    ]
    chart = labs.live_map.draw(town())
    assert len(arrows(chart)) == 4  # two rules to a Service that exists, one Service to two pods
    (empty,) = [box for text, box in boxes(chart).items() if "personne" in text]
    assert to_hex(empty.get_edgecolor()).upper() == style.VERMILION
    assert "a.example/faute va au Service inconnu" in chart.alternative


def test_a_namespace_without_rules_is_not_said_to_be_well() -> None:
    run = replace(town().runs[0], parameters={**town().runs[0].parameters, "routes": []})
    words = labs.live_map.draw(replace(town(), runs=(run,))).alternative
    assert "aucune règle d’Ingress" in words and "chaque règle mène" not in words
