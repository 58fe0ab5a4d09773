"""The page of a class, in a browser: no wider than its window, nothing that axe finds serious, in light and in dark."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from k8s_helpers import exercises
from k8s_helpers.classroom import page as class_page
from k8s_helpers.classroom.attention import Need, Seat
from k8s_helpers.journal.shared import SharedExercise, SharedProgress

if TYPE_CHECKING:
    from playwright.sync_api import Page


def seated() -> list[Seat]:
    names = list(exercises.exercises(""))
    made = []
    for place in range(30):
        tried = {name: SharedExercise(2, 1, True, "", {}) for name in names[: place + 3]}
        current = names[place + 3]
        code = next(iter(exercises.load(current).hints))
        tried[current] = SharedExercise(3, 1, False, code, {code: 3})
        progress = SharedProgress(tried, 4, current)
        made.append(Seat(f"etudiant-{place}", Need(place % 6), progress, 60.0 * place, 5.0))
    return made


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_of_a_class_fits_every_window_and_can_be_stopped(
    page: Page, tmp_path: Path, scheme: str
) -> None:
    from browsing import WIDTHS, faults, overflow_px

    file = tmp_path / "classe.html"
    names = {"etudiant-1": "Aurélie Dupont-Lachenal de la Rochefoucauld"}
    at = datetime(2027, 1, 15, 9, 0, 0)
    text = class_page.to_html("r509", seated(), names=names, at=at, refresh_s=600)
    file.write_text(text, "utf-8")
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.goto(file.as_uri())
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        assert overflow_px(page) == 0, width
    assert faults(page, contrast=True) == []
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    button = page.get_by_role("button")
    assert button.get_attribute("aria-pressed") == "true"
    assert button.inner_text() == "Reprendre"
