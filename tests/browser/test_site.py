"""The site in a real browser: no page moves sideways, asks anything of the outside, or shuts anybody out."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("playwright")

from browsing import WIDTHS, faults, overflow_px
from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import Page

LOOKED_AT = ("docs/site/index", "notebooks/10_sondes", "docs/fidelite")
"""Contrast takes seconds on a long page: these have all that the others are made of."""

READABLE_PX = 7.5
"""Of a figure's smallest words, in pixels of the screen; a phone's reader may also open the figure alone."""


def pages(site: Path) -> list[str]:
    return [
        str(path.relative_to(site))
        for path in sorted(site.rglob("*.html"))
        if path.parent != site or path.name == "search.html"
    ]


def test_no_page_is_wider_than_its_window_and_axe_finds_nothing_serious(
    page: Page, site: Path, site_url: str
) -> None:
    wide, bad = {}, {}
    for name in pages(site):
        page.set_viewport_size({"width": WIDTHS[0], "height": 900})
        page.goto(f"{site_url}/{name}")
        by_px = {}
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            by_px[width] = overflow_px(page)
        if any(by_px.values()):
            wide[name] = by_px
        if serious := faults(page, contrast=name.removesuffix(".html") in LOOKED_AT):
            bad[name] = serious
    assert wide == {}
    assert bad == {}


def test_figures_and_tables_can_be_read_on_a_phone(page: Page, site: Path, site_url: str) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    for name in [one for one in pages(site) if one.startswith("notebooks/")]:
        page.goto(f"{site_url}/{name}")
        shares = page.eval_on_selector_all(
            "a.figure img", "all => all.map(one => one.clientWidth / one.getAttribute('width'))"
        )
        assert all(share * 10 * 100 / 72 >= READABLE_PX for share in shares), name
        padding = page.eval_on_selector_all(
            ".output td",
            "all => all.map(one => getComputedStyle(one)).map(one =>"
            " parseFloat(one.paddingLeft) + parseFloat(one.paddingRight))",
        )
        assert all(px >= 6 for px in padding), name


def test_a_figure_opens_alone(page: Page, site_url: str) -> None:
    page.goto(f"{site_url}/notebooks/10_sondes.html")
    figure = page.locator("a.figure").first
    figure.scroll_into_view_if_needed()
    figure.click()
    page.wait_for_url(re.compile(r"_figures/\w+\.png$"))


def test_the_search_works_on_pages_opened_as_files(page: Page, site: Path) -> None:
    page.goto((site / "docs" / "site" / "index.html").as_uri())
    page.locator("input[name=q]").fill("readiness")
    page.keyboard.press("Enter")
    expect(page.locator("ul.search li a").filter(has_text="sondes").first).to_be_visible()
    expect(page.get_by_role("heading", name="Résultats de la recherche")).to_be_visible()


def test_a_page_prints_without_its_menus(page: Page, site_url: str) -> None:
    page.emulate_media(media="print")
    page.goto(f"{site_url}/notebooks/00_accueil.html")
    expect(page.locator(".sidebar-drawer")).to_be_hidden()
    expect(page.locator(".toc-drawer")).to_be_hidden()
    assert overflow_px(page) == 0


def test_a_sheet_prints_on_one_page(page: Page, site: Path) -> None:
    for path in sorted((site / "fiches").glob("[0-9]*.html")):
        page.goto(path.as_uri())
        printed = page.pdf(prefer_css_page_size=True)
        assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 1, path.name
