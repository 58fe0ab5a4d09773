"""`k8s-lab measure` and `replay`: an experiment without a notebook, and its charts again without a cluster."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .. import _paths, _progress, labs
from .._errors import RecordingError
from .french import FrenchCommand, FrenchGroup
from .options import Selection, cluster_options

if TYPE_CHECKING:
    from ..measure.recording import Recording


class LabGroup(FrenchGroup):
    """A command for each lab of the registry, imported when it is asked for."""

    def list_commands(self, context: click.Context) -> list[str]:
        """Return the labs, in the order of the course."""
        return list(labs.LABS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        """Return the command that measures a lab and writes what it measured."""
        if name not in labs.LABS:
            return None

        def call(selection: Selection, out: Path) -> None:
            _measure(name, selection, out)

        out = click.option(
            "--out",
            metavar="DOSSIER",
            required=True,
            type=click.Path(path_type=Path, file_okay=False),
            help="Où écrire.",
        )
        words = f"{labs.get(name).title}. Écrit recording.json, summary.json et {name}.png."
        return click.command(name, cls=FrenchCommand, help=words)(out(cluster_options(call)))


measure = LabGroup("measure", help="Fait une mesure du cours et en garde l’enregistrement.")


def _measure(name: str, selection: Selection, out: Path) -> None:
    from ..cluster import connect

    lab = labs.get(name)
    lab.check()  # what lacks is said before minutes of measuring, not after
    was_there = out.exists()
    out.mkdir(parents=True, exist_ok=True)  # before minutes of measuring, not after
    progress = _progress.reporter()
    try:
        cluster = connect(progress=progress, **selection.chosen())
        recording = lab.measure(cluster=cluster, progress=progress)
    except BaseException:
        if not was_there:
            out.rmdir()
        raise
    finally:
        progress.done()
    saved = recording.save(out / "recording.json")
    _write(recording, out)
    click.echo(f"Pour redessiner sans cluster : k8s-lab replay {saved}")


@click.command(cls=FrenchCommand, help="Redessine un enregistrement, sans cluster.")
@click.argument("recording", metavar="recording.json", type=click.Path(path_type=Path))
@click.option(
    "--out",
    metavar="DOSSIER",
    type=click.Path(path_type=Path, file_okay=False),
    help="Où écrire (sinon à côté de l’enregistrement ; dans le dossier courant pour une mesure gardée avec le cours).",
)
def replay(recording: Path, out: Path | None) -> None:
    """Draw a recording's charts and write its summary again."""
    from ..measure.recording import Recording

    loaded = Recording.load(recording)
    kept = recording.resolve().is_relative_to(_paths.PACKAGE)
    folder = out or (Path() if kept else recording.parent)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        _write(loaded, folder)
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise RecordingError(
            f"Redessiner l’enregistrement {recording}",
            f"l’expérience « {loaded.experiment} » n’y trouve pas ce qu’elle attend ({error!r})",
            f"Refaites la mesure avec cette version du cours : k8s-lab measure {loaded.experiment} --out DOSSIER.",
        ) from error


def _write(recording: Recording, folder: Path) -> None:
    """Write `summary.json` and the chart, and print the table and where all is."""
    lab = labs.of(recording)
    summary = json.dumps(lab.to_json(recording), indent=2, ensure_ascii=False)
    (folder / "summary.json").write_text(summary + "\n", encoding="utf-8")
    os.environ.setdefault("MPLBACKEND", "agg")
    figure = lab.draw(recording)
    picture = folder / f"{recording.experiment}.png"
    figure.savefig(picture)
    table = lab.tabulate(recording)
    click.echo(figure.alternative if table is None else str(table))
    click.echo(f"Écrit dans {folder} : summary.json, {picture.name}")
