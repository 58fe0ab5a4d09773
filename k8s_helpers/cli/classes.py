"""`k8s-lab class-report`: the pages that students hand in, as one table."""

from __future__ import annotations

import json
from pathlib import Path

import click

from .french import FrenchCommand


@click.command(
    "class-report",
    cls=FrenchCommand,
    help="Réunit les pages de progression d’un dossier en un tableau de la classe.",
)
@click.argument("folder", metavar="DOSSIER", type=click.Path(path_type=Path))
@click.option(
    "--out",
    metavar="FICHIER",
    type=click.Path(path_type=Path, dir_okay=False),
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
    target = out or Path("classe.html")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(report.to_html(), encoding="utf-8")
    click.echo(str(report))
    click.echo(f"Écrit : {target}")
