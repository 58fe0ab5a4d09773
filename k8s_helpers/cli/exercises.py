"""`k8s-lab exercise`: the exercises from a terminal, with the same journal as in the notebooks."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .._errors import K8sHelpersError, UsageError
from .french import FrenchCommand, FrenchGroup
from .options import Selection, cluster_options

if TYPE_CHECKING:
    from ..cluster import Cluster

NOT_PASSED = 1
"""Exit code of a check that finds a mistake."""

exercise = FrenchGroup("exercise", help="Les exercices, dans un terminal.")


@exercise.command("list", cls=FrenchCommand, help="Donne les exercices, et où vous en êtes.")
def list_() -> None:
    """Print a table of all exercises."""
    from ..exercises import exercises, progress

    known, rows = exercises(), [("EXERCICE", "OÙ", "ÉTAT")]
    for row in progress().rows:
        where = "terminal" if known[row.name].workspace else row.notebook
        rows.append((row.name, where, row.state))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for line in rows:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        click.echo("  ".join(cells).rstrip())


@exercise.command(cls=FrenchCommand, help="Commence un exercice, ou le recommence à neuf.")
@click.argument("chosen", metavar="EXERCICE")
@cluster_options
def start(selection: Selection, chosen: str) -> None:
    """Prepare the namespace of an exercise, and print its statement."""
    from ..exercises import load
    from ..exercises import start as begin

    load(chosen)  # no cluster is needed to know that there is none of that name
    click.echo(begin(chosen, cluster=_connect(selection)).in_terminal())


@exercise.command(cls=FrenchCommand, help="Dit où vous en êtes. Code 1 si ce n’est pas réussi.")
@click.argument("chosen", metavar="EXERCICE")
@click.argument(
    "files",
    metavar="[FICHIER…]",
    nargs=-1,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
)
@cluster_options
def check(selection: Selection, chosen: str, files: tuple[Path, ...]) -> int:
    """Look at the namespace of an exercise, or try the manifests of files where it is answered so."""
    from ..exercises import check as try_answer
    from ..exercises import load

    given = load(chosen)
    if given.fields:
        raise UsageError(
            f"Vérifier l’exercice « {chosen} » dans un terminal",
            "sa réponse est un dictionnaire, qui s’écrit dans le notebook",
            f"Ouvrez {given.notebook}.",
        )
    texts = [file.read_text(encoding="utf-8", errors="replace") for file in files]
    verdict = try_answer(chosen, *texts, cluster=_connect(selection))
    click.echo(verdict.in_terminal())
    return 0 if verdict.passed else NOT_PASSED


@exercise.command(cls=FrenchCommand, help="Donne un indice de plus, selon le dernier « check ».")
@click.argument("chosen", metavar="EXERCICE")
def hint(chosen: str) -> None:
    """Print one more hint."""
    from ..exercises import hint as next_hint

    click.echo(next_hint(chosen).in_terminal())


@exercise.command(
    cls=FrenchCommand, help="Fait regarder kubectl dans l’espace de noms d’un exercice commencé."
)
@click.argument("chosen", metavar="EXERCICE")
@cluster_options
def use(selection: Selection, chosen: str) -> None:
    """Make the terminals' kubectl look in the namespace of an exercise."""
    from ..exercises import load
    from ..exercises.workspace import Workspace

    workspace = Workspace(_connect(selection), load(chosen))
    workspace.namespace.use()
    click.echo(f"kubectl regarde dans « {workspace.namespace.name} ».")


@exercise.command(cls=FrenchCommand, help="Supprime l’espace de noms d’exercices commencés.")
@click.argument("names", metavar="EXERCICE…", nargs=-1, required=True)
@cluster_options
def stop(selection: Selection, names: tuple[str, ...]) -> None:
    """Delete the namespaces of exercises."""
    from ..exercises import load
    from ..exercises import stop as end

    for name in names:
        load(name)
    end(*names, cluster=_connect(selection))


@exercise.command(
    cls=FrenchCommand,
    help="Dit si la classe voit où vous en êtes ; « off » l’arrête et efface ce qu’elle voyait, « on » reprend.",
)
@click.argument("choice", metavar="[on|off]", required=False, type=click.Choice(["on", "off"]))
@cluster_options
def share(selection: Selection, choice: str | None) -> None:
    """Keep whether the class sees how far the student is."""
    from .. import journal
    from ..journal import sharing

    shares = journal.read().shares if choice is None else choice == "on"
    words = "Sur le cluster d’une classe, l’enseignant voit où vous en êtes (jamais vos réponses)."
    if not shares:
        words = "L’enseignant ne voit pas où vous en êtes : rien n’est écrit pour lui."
    if choice is not None:
        cluster = None
        with contextlib.suppress(K8sHelpersError):  # no cluster, hence nothing to delete there
            cluster = _connect(selection)
        sharing.choose(shares, cluster)
    click.echo(words)


def _connect(selection: Selection) -> Cluster:
    """Return the cluster that is meant, which runs already."""
    from ..cluster import Cluster

    return Cluster(selection.running())
