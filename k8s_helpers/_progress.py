"""Progress of anything over two seconds: the current step, in French, and how far it is.

Code that works takes a `Progress` and calls `step`; who shows it (terminal, notebook, nobody) is chosen by
`reporter()` at the edge.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from embedded_kubernetes.progress import Lines, Progress, Silent

__all__ = [
    "Lines",
    "Notebook",
    "Progress",
    "Silent",
    "Terminal",
    "charts_follow",
    "in_notebook",
    "live_display",
    "reporter",
    "reporting",
]

REHEARSAL = "K8S_HELPERS_LIVE_REHEARSAL"
"""Set to 1 for tests: what a student would see while a measure goes on is drawn, shown nowhere, and may not fail."""


class Terminal:
    """One line redrawn in place by rich."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        self._bar = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._task = self._bar.add_task("", total=None)
        self._bar.start()

    def step(self, text: str, fraction: float | None = None) -> None:
        """Redraw the line."""
        total = None if fraction is None else 1.0
        self._bar.update(self._task, description=text, total=total, completed=fraction or 0.0)

    def done(self, text: str | None = None) -> None:
        """Take the bar away and leave the last word."""
        self._bar.stop()
        if text:
            print(text, file=sys.stderr, flush=True)


class Notebook:
    """One line under the cell, replaced in place, gone at the end."""

    def __init__(self) -> None:
        from IPython.display import HTML, display

        self._html: Any = HTML
        self._handle: Any = display(HTML(""), display_id=True)

    def step(self, text: str, fraction: float | None = None) -> None:
        """Replace the line."""
        import html

        bar = (
            f"<progress aria-label='Avancement' value='{fraction:.3f}' max='1'></progress> "
            if fraction is not None
            else ""
        )
        self._handle.update(self._html(f"<span role='status'>{bar}{html.escape(text)}…</span>"))

    def done(self, text: str | None = None) -> None:
        """Empty the line: what the cell shows is its result."""
        self._handle.update(self._html(""))


def live_display() -> bool:
    """Return whether outputs may be redrawn while a cell runs.

    False under nbval and CI (`K8S_HELPERS_LIVE=0` or `CI` set), so that stored outputs hold only what is final.
    """
    wish = os.environ.get("K8S_HELPERS_LIVE")
    if wish is not None:
        return wish not in ("0", "no", "false", "")
    return not os.environ.get("CI")


def in_notebook() -> bool:
    """Return whether this process is a Jupyter kernel."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell is not None and hasattr(shell, "kernel")


def rehearsing() -> bool:
    """Return whether what would be shown meanwhile is drawn and not shown (`REHEARSAL`)."""
    return os.environ.get(REHEARSAL) == "1"


def charts_follow() -> bool:
    """Return whether charts are drawn while measures go on: in a notebook that may redraw, and in rehearsal."""
    return rehearsing() or (live_display() and in_notebook())


def reporter() -> Progress:
    """Return the reporter that fits where the code runs: notebook, terminal, log, or silence."""
    if in_notebook():
        return Notebook() if live_display() else Silent()
    return Terminal() if sys.stderr.isatty() else Lines()


@contextmanager
def reporting(progress: Progress | None) -> Iterator[Progress]:
    """Report to `progress`; where there is none, to what fits here, which is taken away at the end."""
    chosen = progress or reporter()
    try:
        yield chosen
    finally:
        if progress is None:
            chosen.done()
