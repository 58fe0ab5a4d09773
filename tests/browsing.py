"""A browser under test: what it may fetch, what it must not overflow, and JupyterLab as a student sees it."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page, expect

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
WIDTHS = (1440, 1024, 390)
CELL_MS = 120_000
"""Longer than a cell of the tests takes on a busy machine."""
READY_S = 120.0
"""Longest wait for JupyterLab to answer, and for what is awaited in it."""


def browser_program() -> str | None:
    """Return the path of this machine's Chromium, or None."""
    return next((path for name in BROWSERS if (path := shutil.which(name))), None)


def overflow_px(page: Page) -> int:
    """Return by how much the page is wider than its window."""
    script = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    return int(page.evaluate(script))


def faults(page: Page, *, contrast: bool) -> list[str]:
    """Return what axe finds serious or critical, one line each."""
    from axe_playwright_python.sync_playwright import Axe

    options = {"resultTypes": ["violations"]}
    if not contrast:
        options["rules"] = {"color-contrast": {"enabled": False}}
    found = Axe().run(page, options=options).response["violations"]
    return [
        f"{rule['id']} ({rule['impact']}) : {rule['nodes'][0]['html'][:200]}"
        for rule in found
        if rule["impact"] in ("serious", "critical")
    ]


class Server:
    """JupyterLab as `k8s-lab lab` starts it.

    Attributes
    ----------
    url, token : str
        Where it is, and what lets in.
    folder : Path
        The copy of the course that it shows.
    """

    def __init__(self, folder: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        self.url, self.token, self.folder = (
            f"http://127.0.0.1:{port}",
            secrets.token_hex(8),
            folder,
        )
        options = [
            "--no-browser",
            f"--ServerApp.port={port}",
            "--ServerApp.port_retries=0",
            f"--ServerApp.root_dir={folder}",
            f"--IdentityProvider.token={self.token}",
            "--LabApp.expose_app_in_browser=True",
            "--LabApp.news_url=",
        ]
        self._log = (folder.parent / "lab.log").open("w+")
        self._process = subprocess.Popen(
            [
                Path(sys.executable).parent / "k8s-lab",
                "lab",
                "--provider",
                "embedded",
                "--",
                *options,
            ],
            env={**os.environ, "K8S_HELPERS_LIVE": "1", "K8S_HELPERS_LIVE_REHEARSAL": ""},
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )

    def wait_ready(self) -> None:
        """Wait until it answers."""
        end_s = time.monotonic() + READY_S
        while not self._answers():
            assert self._process.poll() is None and time.monotonic() < end_s, self.log()
            time.sleep(0.2)

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/api/status?token={self.token}", timeout=5):
                return True
        except OSError:
            return False

    def log(self) -> str:
        """Return what it has said."""
        self._log.seek(0)
        return self._log.read()

    def stop(self) -> None:
        """End it with its kernels and terminals, as Ctrl-C twice does."""
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(30)
        self._log.close()


class Lab:
    """A page with JupyterLab, driven as a student does; its state is read from JupyterLab itself.

    Parameters
    ----------
    page : Page
        A page of its own.
    url : str
        Of the server.
    token : str
        To be let in.
    """

    def __init__(self, page: Page, url: str, token: str) -> None:
        self.page = page
        self._url, self._token = url, token

    def open(self, path: str) -> None:
        """Open a notebook in a layout that is as at first."""
        self.page.goto(f"{self._url}/lab/tree/{path}?token={self._token}&reset")
        self.page.wait_for_function(
            """path => {
                const widget = window.jupyterapp?.shell.currentWidget;
                return widget?.context?.path === path && widget.context.isReady
                    && widget.sessionContext?.session?.kernel?.status === "idle";
            }""",
            arg=path,
            timeout=CELL_MS,
        )

    @property
    def panel(self) -> Locator:
        """The notebook that is in sight."""
        return self.page.locator(".jp-NotebookPanel:not(.lm-mod-hidden)")

    def menu(self, menu: str, item: str) -> None:
        """Choose from the menu bar."""
        self.page.locator(".lm-MenuBar-item", has_text=menu).click()
        self.page.locator(".lm-Menu .lm-Menu-itemLabel", has_text=item).first.click()

    def write(self, source: str) -> None:
        """Put a cell below the one that is active and make it active."""
        self._command("notebook:insert-cell-below")
        self.page.evaluate(
            "text => jupyterapp.shell.currentWidget.content.activeCell.model.sharedModel.setSource(text)",
            source,
        )

    def run(self) -> None:
        """Run the active cell, by the keyboard."""
        self.page.evaluate("jupyterapp.shell.currentWidget.content.activeCell.node.focus()")
        self.page.keyboard.press("Control+Enter")

    def last(self) -> None:
        """Make the last cell active."""
        self.page.evaluate(
            "(() => { const book = jupyterapp.shell.currentWidget.content;"
            " book.activeCellIndex = book.widgets.length - 1; })()"
        )

    def wait_idle(self) -> None:
        """Wait until every cell that was asked for has run."""
        self.page.wait_for_function(
            """() => {
                const widget = window.jupyterapp.shell.currentWidget;
                const waits = widget.content.widgets.some(cell => cell.promptNode?.innerText.includes("*")
                    || cell.model.executionState === "running" || cell.model.executionState === "scheduled");
                return !waits && widget.sessionContext.session.kernel.status === "idle";
            }""",
            timeout=CELL_MS,
        )

    def cells(self) -> list[Mapping[str, Any]]:
        """Return the notebook's code cells as they would be saved."""
        content = self.page.evaluate("jupyterapp.shell.currentWidget.context.model.toJSON()")
        return [cell for cell in content["cells"] if cell["cell_type"] == "code"]

    def save(self) -> None:
        """Save, and wait until it is done."""
        self._command("docmanager:save")

    def theme(self, name: str) -> None:
        """Choose a theme and wait until it is on."""
        self._command("apputils:change-theme", {"theme": name})
        light = str(name.endswith("Light")).lower()
        expect(self.page.locator("body")).to_have_attribute("data-jp-theme-light", light)

    def _command(self, name: str, arguments: Mapping[str, Any] | None = None) -> None:
        self.page.evaluate(
            "([name, args]) => jupyterapp.commands.execute(name, args).then(() => null)",
            [name, dict(arguments or {})],
        )
