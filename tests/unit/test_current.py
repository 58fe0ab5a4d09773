"""The cluster in use is remembered until it is taken down."""

from __future__ import annotations

from pathlib import Path

import pytest

from k8s_helpers import providers


@pytest.fixture(autouse=True)
def nothing_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("K8S_HELPERS_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))  # neither kind nor an engine
    for name in ("K8S_HELPERS_PROVIDER", "K8S_HELPERS_CLUSTER"):
        monkeypatch.delenv(name, raising=False)


def _selected(*names: str) -> tuple[str, str]:
    chosen = providers.select(*names)
    return chosen.kind, chosen.name


def test_the_last_one_started_is_meant() -> None:
    assert _selected() == ("embedded", "cours")
    providers.remember(providers.provider("kind", "autre"))
    assert _selected() == ("kind", "autre")


def test_a_named_provider_is_not_overridden(monkeypatch: pytest.MonkeyPatch) -> None:
    providers.remember(providers.provider("kind", "autre"))
    assert _selected("embedded") == ("embedded", "cours")
    monkeypatch.setenv("K8S_HELPERS_PROVIDER", "embedded")
    assert _selected() == ("embedded", "cours")


def test_only_the_one_in_use_is_forgotten() -> None:
    providers.remember(providers.provider("kind", "autre"))
    providers.forget(providers.provider("kind", "cours"))
    assert providers.recall() == ("kind", "autre")
    providers.forget(providers.provider("kind", "autre"))
    assert providers.recall() is None


def test_a_damaged_note_is_no_note(tmp_path: Path) -> None:
    providers.remember(providers.provider("kind", "autre"))
    (tmp_path / "state" / "current.json").write_text("{")
    assert _selected() == ("embedded", "cours")
