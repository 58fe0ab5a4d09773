"""`k8s-lab measure` and `replay`: an experiment without a notebook, and its charts again without a cluster."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .. import _progress
from .french import FrenchCommand, FrenchGroup
from .options import Selection, cluster_options

if TYPE_CHECKING:
    from ..recording import Recording


@click.group(cls=FrenchGroup, help="Fait une mesure du cours et en garde l’enregistrement.")
def measure() -> None:
    """Hold the measures."""


_MEASURES = {
    "pending": "Un pod qui demande plus qu’aucun nœud n’a.",
    "qos": "Les classes de qualité de service.",
    "quota": "Un quota qui se remplit, et ses refus.",
    "throttling": "Le même calcul sous plusieurs limites de processeur.",
    "memory": "La fuite de mémoire en Java : deux morts, et les redémarrages.",
    "autoscaling": "Un autoscaler sous charge : prévision, décisions, réponses.",
    "added_node": "Un nœud de plus dans un cluster plein : qui y arrive, et en combien de temps.",
    "update": "Les stratégies de mise à jour sous trafic.",
    "probe_kinds": "Quatre genres de sondes (http, tcp, exec, grpc) devant la même panne.",
    "slow_update": "La mise à jour du programme lent, avec et sans readiness.",
    "probes": "Le même programme lent avec cinq façons de le sonder, prévu puis mesuré.",
}
"""Experiments with a command of their own, by name; each writes recording.json, summary.json and a picture."""


def _command(name: str, text: str) -> click.Command:
    """Return the command that makes one experiment and writes what it measured."""

    def call(selection: Selection, out: Path) -> None:
        _measure(name, selection, out)

    out = click.option(
        "--out",
        metavar="DOSSIER",
        required=True,
        type=click.Path(path_type=Path, file_okay=False),
        help="Où écrire.",
    )
    words = f"{text} Écrit recording.json, summary.json et {name}.png."
    return click.command(name, cls=FrenchCommand, help=words)(out(cluster_options(call)))


def _measure(name: str, selection: Selection, out: Path) -> None:
    from .. import experiments
    from ..cluster import connect

    was_there = out.exists()
    out.mkdir(parents=True, exist_ok=True)  # before minutes of measuring, not after
    os.environ.update(selection.environment())
    progress = _progress.reporter()
    try:
        cluster = connect(progress=progress)
        recording = getattr(experiments, name)(cluster=cluster, progress=progress)
    except BaseException:
        if not was_there:
            out.rmdir()
        raise
    finally:
        progress.done()
    saved = recording.save(out / "recording.json")
    _write(recording, out)
    click.echo(f"Pour redessiner sans cluster : k8s-lab replay {saved}")


for _name, _text in _MEASURES.items():
    measure.add_command(_command(_name, _text))


@click.command(cls=FrenchCommand, help="Redessine un enregistrement, sans cluster.")
@click.argument("recording", metavar="recording.json", type=click.Path(path_type=Path))
@click.option(
    "--out",
    metavar="DOSSIER",
    type=click.Path(path_type=Path, file_okay=False),
    help="Où écrire (à côté de l’enregistrement sinon).",
)
def replay(recording: Path, out: Path | None) -> None:
    """Draw a recording's charts and write its summary again."""
    from ..recording import Recording

    loaded = Recording.load(recording)
    folder = recording.parent if out is None else out
    folder.mkdir(parents=True, exist_ok=True)
    _write(loaded, folder)


def _write(recording: Recording, folder: Path) -> None:
    """Write `summary.json` and the chart, and print the table and where all is."""
    from ..timeline import summary_json

    summary = json.dumps(summary_json(recording), indent=2, ensure_ascii=False)
    (folder / "summary.json").write_text(summary + "\n", encoding="utf-8")
    os.environ.setdefault("MPLBACKEND", "agg")
    from .. import charts

    figure = charts.draw(recording)
    picture = folder / f"{recording.experiment}.png"
    figure.savefig(picture)
    table = charts.tabulate(recording)
    click.echo(figure.alternative if table is None else str(table))
    click.echo(f"Écrit dans {folder} : summary.json, {picture.name}")
