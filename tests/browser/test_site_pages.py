"""The course as a site: every notebook and every slide is reached, and a page that is read fetches nothing."""

from __future__ import annotations

from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted(path.stem for path in (ROOT / "notebooks").glob("[0-9]*.ipynb"))
FETCHED = {"script": "src", "img": "src", "iframe": "src", "source": "src", "link": "href"}


class Page(HTMLParser):
    """What a page fetches, where its links lead, which anchors it has."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.images_without_text: list[str] = []
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.anchors.add(values.get("id", ""))
        if tag in FETCHED:
            self.fetched.append(values.get(FETCHED[tag], ""))
        if tag == "a":
            self.links.append(values.get("href", ""))
        if tag == "img" and not values.get("alt"):
            self.images_without_text.append(values.get("src", "")[:60])


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Page]:
    return {path: Page(path) for path in sorted(site.rglob("*.html"))}


def test_every_notebook_has_its_page_in_the_order_of_the_slides(
    site: Path, pages: dict[Path, Page]
) -> None:
    links = pages[site / "docs" / "site" / "index.html"].links
    told = [Path(link).stem for link in links if link.startswith("../../notebooks/")]
    assert list(dict.fromkeys(told)) == NOTEBOOKS


def test_no_page_fetches_anything_from_elsewhere(site: Path, pages: dict[Path, Page]) -> None:
    for path, page in pages.items():
        outside = [one for one in page.fetched if urlsplit(one).scheme not in ("", "data")]
        assert not outside and not any(one.startswith("//") for one in page.fetched), path
    for path in site.rglob("*.css"):
        text = path.read_text("utf-8")
        assert "@import" not in text and "url(http" not in text and "url(//" not in text, path


def test_links_inside_the_site_lead_somewhere(site: Path, pages: dict[Path, Page]) -> None:
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc or link in ("", "#"):
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            assert target.is_file(), f"{path.name} → {link}"
            if parts.fragment and target in pages:
                assert unquote(parts.fragment) in pages[target].anchors, f"{path.name} → {link}"


def test_every_slide_is_listed_with_its_section(site: Path, pages: dict[Path, Page]) -> None:
    text = (site / "docs" / "site" / "diapositives.html").read_text("utf-8")
    links = [one for one in pages[site / "docs" / "site" / "diapositives.html"].links if "#" in one]
    for slide in ("0.01", "1.05", "4.05", "6.06"):
        assert f">{slide}<" in text or f"<p>{slide}</p>" in text
    assert len([one for one in links if "notebooks/" in one]) >= 19


def test_every_image_has_a_text_alternative(pages: dict[Path, Page]) -> None:
    assert {
        path.name: page.images_without_text
        for path, page in pages.items()
        if page.images_without_text
    } == {}


ENGLISH = (
    "Toggle",
    "Skip to content",
    ">Home<",
    ">Contents<",
    ">Expand<",
    "Light mode",
    "Dark mode",
)


def test_the_theme_speaks_french_and_every_heading_has_its_level(
    site: Path, pages: dict[Path, Page]
) -> None:
    for path in pages:
        text = path.read_text("utf-8")
        assert [word for word in ENGLISH if word in text] == [], path.name
        assert 'role="heading">' not in text and '<th class="head"><p></p></th>' not in text, path


def test_a_figure_is_a_file_that_can_be_looked_at_alone(
    site: Path, pages: dict[Path, Page]
) -> None:
    for path, page in pages.items():
        assert not [one for one in page.fetched if one.startswith("data:image/png")], path.name
    figures = [one for one in pages[site / "notebooks/10_sondes.html"].links if "_figures/" in one]
    assert figures and all((site / "notebooks" / one).resolve().is_file() for one in figures)


def test_the_site_is_small(site: Path) -> None:
    assert sum(path.stat().st_size for path in site.rglob("*") if path.is_file()) < 40_000_000


def test_what_is_finished_is_left_as_it_is(
    tmp_path: Path, pages: dict[Path, Page], finish: Callable[[str, str, Path], str]
) -> None:
    for path in pages:
        text = path.read_text("utf-8")
        assert finish(text, "", tmp_path) == text, path.name
