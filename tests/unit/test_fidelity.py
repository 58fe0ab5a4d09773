"""What a provider cannot show is said in one way by the experiment, the badge and the page of the docs."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from k8s_helpers import experiments
from k8s_helpers._errors import PlatformError
from k8s_helpers.cli import fidelity
from k8s_helpers.cluster import badge
from k8s_helpers.experiments import fidelity as refusing
from k8s_helpers.providers.cannot_show import CANNOT_SHOW, CannotShow
from k8s_helpers.providers.embedded import EmbeddedProvider

LIMITS = (
    CannotShow("panne", "Arrêter un composant", "kind", "Il <est> dans un pod.", ("embedded",)),
    CannotShow("disque", "Remplir un disque", "embedded", "Il n’y en a pas.", ()),
)


def test_the_page_has_a_row_for_each_refusal() -> None:
    page = fidelity.page((), LIMITS, {})
    assert "| Arrêter un composant (`panne`) | kind | Il <est> dans un pod. | embedded |" in page
    assert "| Remplir un disque (`disque`) | embedded | Il n’y en a pas. | l’enregistrement" in page
    assert "Toutes les expériences se montrent" in fidelity.page((), (), {})


def test_the_page_joins_differences_of_one_reason() -> None:
    explained = {
        ("maj", "a : durée"): "parce que",
        ("maj", "b : durée"): "parce que",
        ("pod", "c"): "ainsi",
    }
    page = fidelity.page((), (), explained)
    assert "| `maj` | a : durée<br>b : durée | parce que |\n| `pod` | c | ainsi |" in page


def test_the_badge_shows_the_refusals_of_its_provider_alone() -> None:
    shown = badge.html(EmbeddedProvider("essai"), "v1.37.0", LIMITS)
    assert (
        "Remplir un disque" in shown and "Ce qui ne se montre pas ici (1\u00a0expérience)" in shown
    )
    assert "Arrêter un composant" not in shown
    assert "Ce qui ne se montre pas" not in badge.html(
        EmbeddedProvider("essai"), "v1.37.0", LIMITS[:1]
    )


def _cluster(provider: str) -> Any:
    return SimpleNamespace(provider=SimpleNamespace(kind=provider))


def test_an_experiment_refuses_with_reason_and_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refusing, "CANNOT_SHOW", LIMITS)
    refusing.require("panne", _cluster("embedded"))
    with pytest.raises(
        PlatformError, match=r'est> dans un pod(.|\n)*connect\(provider="embedded"\)'
    ):
        refusing.require("panne", _cluster("kind"))
    with pytest.raises(PlatformError, match="k8s-lab replay"):
        refusing.require("disque", _cluster("embedded"))


@pytest.mark.parametrize(
    "limit", CANNOT_SHOW, ids=lambda limit: f"{limit.experiment}-{limit.provider}"
)
def test_a_refusal_is_about_an_experiment_that_makes_it(limit: CannotShow) -> None:
    assert limit.experiment in experiments.__all__
    assert limit.provider not in limit.instead
    folder = Path(experiments.__file__).parent
    calls = [
        f'require("{limit.experiment}"' in path.read_text("utf-8") for path in folder.glob("*.py")
    ]
    assert any(calls)
