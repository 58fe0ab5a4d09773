"""The site, built once; a browser, started once; JupyterLab as `k8s-lab lab` opens it, on a copy of the notebooks."""

from __future__ import annotations

import http.server
import importlib
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from browsing import Lab, Server
    from playwright.sync_api import Browser, Page

    from k8s_helpers.cluster import Cluster

ROOT = Path(__file__).parents[2]
COURSE = ("apps", "docs", "exercises", "notebooks")
"""What a student's notebooks link to."""


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the built site."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html"]
    command += ["-c", str(ROOT / "docs" / "site"), "-d", str(folder / "doctrees")]
    done = subprocess.run(
        [*command, str(ROOT), str(folder / "html")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return folder / "html"


@pytest.fixture(scope="session")
def finish() -> Iterator[Callable[[str, str, Path], str]]:
    """What the site's pages went through."""
    sys.path.insert(0, str(ROOT / "docs" / "site"))
    yield importlib.import_module("finishing").finish
    sys.path.pop(0)


@pytest.fixture(scope="session")
def site_url(site: Path) -> Iterator[str]:
    """Where the built site is served."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), partial(Quiet, directory=str(site))
    ) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Headless Chromium; with `K8S_HELPERS_REQUIRE_BROWSER=1` (CI) that there is none is a failure."""
    try:
        from browsing import browser_program
        from playwright.sync_api import sync_playwright
    except ImportError as error:
        _without(f"{error.name} is not installed (make test-browser does it)")
    program = browser_program()
    if program is None:
        _without("no Chromium on this machine")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program)
        yield started
        started.close()


def _without(reason: str) -> None:
    if os.environ.get("K8S_HELPERS_REQUIRE_BROWSER") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture
def page(browser: Browser, tmp_path: Path) -> Iterator[Page]:
    """A page with nothing remembered, that asks nothing of the outside and reports no error of a script."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, locale="fr-FR")
    opened = context.new_page()
    outside: list[str] = []
    errors: list[str] = []
    opened.on(
        "request", lambda request: _is_local(request.url) or outside.append(request.url[:200])
    )
    opened.on("pageerror", lambda error: errors.append(str(error)))
    yield opened
    # What was seen last, for who looks into a failure.
    opened.screenshot(path=tmp_path / "last.png")
    context.close()
    assert outside == [] and errors == []


def _is_local(url: str) -> bool:
    return url.startswith(("http://127.0.0.1:", "data:", "blob:", "file:"))


@pytest.fixture(scope="session")
def server(
    cluster: Cluster, browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """JupyterLab on the run's embedded cluster and on a copy of the course: notebooks are changed by being opened."""
    from browsing import Server

    folder = tmp_path_factory.mktemp("lab") / "course"
    for name in COURSE:
        shutil.copytree(ROOT / name, folder / name)
    started = Server(folder)
    try:
        started.wait_ready()
        yield started
    finally:
        started.stop()


@pytest.fixture
def lab(server: Server, page: Page) -> Lab:
    """JupyterLab in a page of its own."""
    from browsing import Lab

    return Lab(page, server.url, server.token)
