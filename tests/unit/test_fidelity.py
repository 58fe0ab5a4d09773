"""What a provider cannot show is said in one way by the experiment, the badge and the page of the docs."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from k8s_helpers import labs
from k8s_helpers._errors import PlatformError
from k8s_helpers.cli import fidelity
from k8s_helpers.cluster import badge
from k8s_helpers.labs.lab import Explained, Lab, Limit
from k8s_helpers.providers.embedded import EmbeddedProvider

STOP = Lab(
    "panne", "Arrêter un composant", limits=(Limit("kind", "Il <est> dans un pod.", ("embedded",)),)
)
FILL = Lab("disque", "Remplir un disque", limits=(Limit("embedded", "Il n’y en a pas."),))


def test_the_page_has_a_row_for_each_refusal() -> None:
    page = fidelity.page((), (STOP, FILL))
    assert "| Arrêter un composant (`panne`) | kind | Il <est> dans un pod. | embedded |" in page
    assert "| Remplir un disque (`disque`) | embedded | Il n’y en a pas. | l’enregistrement" in page
    assert "Toutes les expériences se montrent" in fidelity.page((), ())


def test_the_page_joins_differences_of_one_reason() -> None:
    update = Lab(
        "maj",
        "",
        explained={
            "a": Explained("a : durée", "parce que"),
            "b": Explained("b : durée", "parce que"),
        },
    )
    page = fidelity.page((), (update, Lab("pod", "", explained={"c": Explained("c", "ainsi")})))
    assert "| `maj` | a : durée<br>b : durée | parce que |\n| `pod` | c | ainsi |" in page


def test_the_badge_shows_what_cannot_be_shown() -> None:
    refusal = badge.NotShown("Remplir un <disque>", "Il n’y en a pas.", ())
    shown = badge.html(EmbeddedProvider("essai"), "v1.37.0", [refusal])
    assert "Remplir un &lt;disque&gt;" in shown
    assert "Ce qui ne se montre pas ici (1\u00a0expérience)" in shown
    assert "Ce qui ne se montre pas" not in badge.html(EmbeddedProvider("essai"), "v1.37.0")


def _cluster(provider: str) -> Any:
    return SimpleNamespace(provider=SimpleNamespace(kind=provider))


def test_an_experiment_refuses_with_reason_and_place() -> None:
    STOP.require(_cluster("embedded"))
    with pytest.raises(
        PlatformError, match=r'est> dans un pod(.|\n)*connect\(provider="embedded"\)'
    ):
        STOP.require(_cluster("kind"))
    with pytest.raises(PlatformError, match=r'labs\.kept\("disque", "kind"\)'):
        FILL.require(_cluster("embedded"))


LIMITED = [lab for lab in map(labs.get, labs.LABS) if lab.limits]


@pytest.mark.parametrize("lab", LIMITED, ids=lambda lab: lab.name)
def test_a_lab_refuses_before_it_builds_or_makes_anything(lab: Lab) -> None:
    for limit in lab.limits:
        assert limit.provider not in limit.instead
        with pytest.raises(PlatformError):
            lab.measure(cluster=_cluster(limit.provider))
