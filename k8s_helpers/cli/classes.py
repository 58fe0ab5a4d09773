"""What the teacher calls: `k8s-lab class-report`, `k8s-lab student-copy` and `k8s-lab grade`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from .._progress import reporting
from .french import FrenchCommand
from .options import Selection, cluster_options

_FOLDER = click.Path(path_type=Path)
_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command(
    "class-report",
    cls=FrenchCommand,
    help="Réunit les pages de progression d’un dossier en un tableau de la classe.",
)
@click.argument("folder", metavar="DOSSIER", type=_FOLDER)
@click.option(
    "--out",
    metavar="FICHIER",
    type=_FILE,
    help="Où écrire le tableau (classe.html dans le dossier courant sinon).",
)
@click.option("--json", "as_json", is_flag=True, help="L’écrire en JSON sur la sortie, sans page.")
def class_report(folder: Path, out: Path | None, as_json: bool) -> None:
    """Read every page of a folder, print the table and write it as one page."""
    from ..exercises import class_report as make

    report = make(folder)
    if as_json:
        click.echo(json.dumps(report.to_plain(), ensure_ascii=False, indent=1))
        return
    click.echo(str(report))
    _write(out or Path("classe.html"), report.to_html())


@click.command(
    "student-copy",
    cls=FrenchCommand,
    help="Écrit une copie du cours pour les étudiants : ni solutions, ni derniers indices, énoncés signés.",
)
@click.argument("folder", metavar="DOSSIER", type=_FOLDER)
def student_copy(folder: Path) -> None:
    """Write a copy of the course without its answers."""
    from ..exercises.grading import copies, signing

    made = copies.student_copy(folder)
    click.echo(
        f"Copie {made.identity} écrite dans {made.folder} : {made.exercises} exercices, sans leurs solutions, "
        f"{made.hints} derniers indices en moins."
    )
    click.echo(
        f"Elle est signée par votre clé : gardez {signing.key_file()}, « k8s-lab grade » la demande."
    )


@click.command(
    "grade",
    cls=FrenchCommand,
    help="Corrige les rendus d’un dossier : essaie chaque réponse sur un cluster, écrit les notes et le CSV de Moodle.",
)
@click.argument("folder", metavar="DOSSIER", type=_FOLDER)
@click.option(
    "--only",
    metavar="EXERCICE",
    multiple=True,
    help="Ne compter que cet exercice, ou ceux dont le nom commence ainsi (09) ; peut se répéter.",
)
@click.option(
    "--copy",
    metavar="COPIE",
    type=_FOLDER,
    help="La copie distribuée : un rendu qui vient d’une autre est signalé.",
)
@click.option(
    "--out", metavar="FICHIER", type=_FILE, help="Où écrire le tableau (notes.html sinon)."
)
@click.option(
    "--csv", "csv_file", metavar="FICHIER", type=_FILE, help="Où écrire le CSV (notes.csv sinon)."
)
@click.option(
    "--json", "as_json", is_flag=True, help="L’écrire en JSON sur la sortie, sans fichier."
)
@cluster_options
def grade(
    folder: Path,
    only: tuple[str, ...],
    copy: Path | None,
    out: Path | None,
    csv_file: Path | None,
    as_json: bool,
    selection: Selection,
) -> None:
    """Try each answer on a cluster; print the marks and write them."""
    from ..cluster import connect
    from ..exercises.grading import grader

    with reporting(None) as progress:
        cluster = connect(progress=progress, **selection.chosen())
        book = grader.grade(folder, cluster=cluster, progress=progress, only=only, copy=copy)
    if as_json:
        click.echo(json.dumps(book.to_plain(), ensure_ascii=False, indent=1))
        return
    click.echo(str(book))
    _write(out or Path("notes.html"), book.to_html())
    _write(csv_file or Path("notes.csv"), book.to_moodle_csv())


def _write(target: Path, text: str) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, encoding="utf-8")
    click.echo(f"Écrit : {target}")
