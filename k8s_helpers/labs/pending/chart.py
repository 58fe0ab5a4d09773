"""What became of each pod as a table."""

from __future__ import annotations

from ...draw.figure import DescribedFigure
from ...draw.table import Table, as_figure, quantities
from ...measure.recording import Recording
from .words import STATES


def tabulate(recording: Recording) -> Table:
    """Return what each pod asked for, what became of it and what the scheduler said."""
    header = ("pod", "demande", "état", "ce que dit l’ordonnanceur")
    rows = tuple(
        (
            run.name,
            quantities(run.parameters["asked"]),
            STATES[run.parameters["state"]],
            run.parameters["message"],
        )
        for run in recording.runs
    )
    return Table("Ce que l’ordonnanceur fait d’un pod", header, rows)


def draw(recording: Recording) -> DescribedFigure:
    """Draw what became of each pod as a table."""
    return as_figure(tabulate(recording))
