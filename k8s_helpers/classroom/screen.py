"""The class as a table in the terminal, drawn again in place."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from embedded_kubernetes.files import write_whole

from .._french import typeset
from . import sentences
from .attention import Need, Seat, seats, stumblings
from .page import to_html
from .watching import ClassWatch, served

_STYLES: Mapping[Need, str] = {
    Need.BROKEN: "bold red",
    Need.STUCK: "bold yellow",
    Need.SILENT: "yellow",
    Need.ABSENT: "cyan",
    Need.WORKING: "green",
    Need.AWAY: "dim",
}
_HEADERS = ("ÉTUDIANT", "ÉTAT", "OÙ", "DEPUIS", "ESSAIS", "INACTIF", "RÉUSSIS", "REMARQUES")
_MISTAKES = 5


def draw(
    class_name: str,
    seen: Sequence[Seat],
    *,
    names: Mapping[str, str],
    at: datetime,
    trouble: str = "",
) -> RenderableType:
    """Return what is shown; parameters as those of `page.to_html`. Texts of students are plain: no markup is read."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for header in _HEADERS:
        table.add_column(header, no_wrap=header != "REMARQUES", overflow="ellipsis")
    for seat in seen:
        table.add_row(*_cells(seat, names))
    lines = [Text(f"{sentences.summary(class_name, seen)} ({at:%H:%M:%S})", style="bold")]
    if trouble:
        lines.append(Text(typeset(trouble), style="bold red"))
    parts: list[RenderableType] = [*lines, table]
    mistakes = sentences.stumbling_lines(stumblings(seen))[:_MISTAKES]
    if mistakes:
        parts.append(Text("Ce qui échoue le plus", style="bold"))
        parts += [Text(f"  {line}", no_wrap=True, overflow="ellipsis") for line in mistakes]
    return Group(*parts)


def _cells(seat: Seat, names: Mapping[str, str]) -> tuple[Text, ...]:
    style = _STYLES[seat.need]
    state = f"{sentences.MARKS[seat.need]} {sentences.STATES[seat.need]}"
    rest = (
        sentences.place(seat),
        sentences.age(seat.on_exercise_s) if seat.progress.exercise else "",
        str(seat.attempts or ""),
        sentences.age(seat.idle_s),
        str(seat.passed),
        sentences.remarks(seat),
    )
    return (
        Text(names.get(seat.student, seat.student)),
        Text(state, style=style),
        *(Text(text) for text in rest),
    )


class Screen:
    """A class on the teacher's screen: in the terminal, and as a page where one is wanted.

    Parameters
    ----------
    watched : ClassWatch
        What is seen.
    class_name : str
        Of the class.
    names : mapping of str to str
        By id, where the teacher's list was given.
    every_s : float
        How often it is drawn.
    """

    def __init__(
        self, watched: ClassWatch, class_name: str, names: Mapping[str, str], every_s: float
    ) -> None:
        self._watched = watched
        self._class_name = class_name
        self._names = names
        self._every_s = every_s
        self._console = Console()

    def once(self, file: Path | None) -> None:
        """Draw it, and write the page."""
        self._console.print(self._drawn())
        if file is not None:
            write_whole(file, self.page())

    def follow(self, file: Path | None, port: int | None) -> None:
        """Draw it again and again, until Ctrl-C; serve the page on a port where one is given (0: any)."""
        with contextlib.ExitStack() as stack:
            if port is not None:
                url = stack.enter_context(served(self.page, port))
                self._console.print(Text(typeset(f"La page est là : {url}")))
            live = stack.enter_context(
                Live(self._drawn(), console=self._console, auto_refresh=False)
            )
            while True:
                if file is not None:
                    write_whole(file, self.page())
                time.sleep(self._every_s)
                live.update(self._drawn(), refresh=True)

    def page(self) -> str:
        """Return the page as it is now."""
        return to_html(
            self._class_name,
            self._seats(),
            names=self._names,
            at=datetime.now(),
            refresh_s=max(1, round(self._every_s)),
            trouble=self._watched.trouble,
        )

    def _drawn(self) -> RenderableType:
        return draw(
            self._class_name,
            self._seats(),
            names=self._names,
            at=datetime.now(),
            trouble=self._watched.trouble,
        )

    def _seats(self) -> Sequence[Seat]:
        return seats(self._watched.state(), time.time() + self._watched.clock_offset_s)
