"""Progress of anything over two seconds: the current step, in French, and how far it is.

Code that works takes a `Progress` and calls `step`; who shows it is chosen by the caller.
"""

from __future__ import annotations

import sys
import time
from typing import Protocol


class Progress(Protocol):
    """What long work reports to."""

    def step(self, text: str, fraction: float | None = None) -> None:
        """Say the current step.

        Parameters
        ----------
        text : str
            The step, in French ("Compilation de kube-apiserver").
        fraction : float, optional
            Share of the whole work that is done, 0 to 1, where it is known.
        """

    def done(self, text: str | None = None) -> None:
        """Say that the work is over, with a last word to leave on the screen."""


class Silent:
    """Reports nothing: libraries, tests, `--json`."""

    def step(self, text: str, fraction: float | None = None) -> None:
        """Do nothing."""

    def done(self, text: str | None = None) -> None:
        """Do nothing."""


class Lines:
    """One line a step on standard error with the seconds so far: logs and CI."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._last = ""

    def step(self, text: str, fraction: float | None = None) -> None:
        """Print the step when it changes."""
        if text != self._last:
            self._last = text
            share = "" if fraction is None else f" {fraction:4.0%}"
            print(
                f"[{time.monotonic() - self._began:6.1f} s]{share} {text}",
                file=sys.stderr,
                flush=True,
            )

    def done(self, text: str | None = None) -> None:
        """Print the last word."""
        if text:
            self.step(text)
