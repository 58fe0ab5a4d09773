"""`k8s-lab run` and `lab`: notebooks executed without a browser, or opened in JupyterLab."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .. import _french, _paths, _progress
from .._errors import NotebookError
from .._files import write_whole
from .._run import replace_by
from .french import FrenchCommand
from .options import Selection, cluster_options

if TYPE_CHECKING:
    from .._progress import Progress

CELL_TIMEOUT_S = 900
"""Longer than any measure of the course takes on a slow machine."""

_SHOWN_LINES = 12


@click.command(
    "run",
    cls=FrenchCommand,
    help="Exécute des notebooks, cellule par cellule. Code 15 si une cellule échoue.",
)
@click.argument(
    "notebooks", metavar="NOTEBOOK…", nargs=-1, required=True, type=click.Path(path_type=Path)
)
@click.option(
    "--html",
    metavar="DOSSIER",
    type=click.Path(path_type=Path),
    help="Y écrire chaque page en HTML.",
)
@click.option("--save", is_flag=True, help="Garder les sorties dans les notebooks eux-mêmes.")
@cluster_options
def run_notebooks(
    selection: Selection, notebooks: tuple[Path, ...], html: Path | None, save: bool
) -> None:
    """Execute notebooks with progress; the first cell that fails ends it with an error that shows the cell."""
    os.environ.update(selection.environment())
    os.environ.setdefault("K8S_HELPERS_LIVE", "0")
    progress = _progress.reporter()
    try:
        for path in notebooks:
            notebook = execute(path, progress)
            if html is not None:
                _write_html(notebook, html / f"{path.stem}.html")
            if save:
                _replace(path, notebook)
    finally:
        progress.done()
    click.echo(f"{len(notebooks)} notebook(s) exécuté(s) sans erreur.")


def execute(path: Path, progress: Progress) -> Any:
    """Run every cell of a notebook in a kernel of its own and return it with its outputs.

    Parameters
    ----------
    path : Path
        The notebook; its cells run in its folder.
    progress : Progress
        Told of each cell.

    Raises
    ------
    NotebookError
        Not a notebook, a cell that raises or takes more than `CELL_TIMEOUT_S`, a kernel that dies.
    """
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    notebook = _read(path)
    client = NotebookClient(
        notebook,
        timeout=CELL_TIMEOUT_S,
        record_timing=False,
        resources={"metadata": {"path": str(path.parent)}},
    )
    cells = [index for index, cell in enumerate(notebook.cells) if cell.cell_type == "code"]
    with client.setup_kernel():
        for done, index in enumerate(cells):
            progress.step(
                f"{path.name} : cellule {done + 1} sur {len(cells)}", done / max(len(cells), 1)
            )
            try:
                client.execute_cell(notebook.cells[index], index, execution_count=done + 1)
            except CellExecutionError as error:
                raise _failed(path, notebook, index, f"{error.ename} : {error.evalue}") from None
            except CellTimeoutError:
                found = f"la cellule n’a pas fini en {CELL_TIMEOUT_S} s"
                raise _failed(path, notebook, index, found) from None
            except DeadKernelError:
                raise _failed(path, notebook, index, "le noyau Python s’est arrêté") from None
        client.set_widgets_metadata()
    return notebook


def _read(path: Path) -> Any:
    import nbformat

    tried = f"Exécuter le notebook {path}"
    try:
        return nbformat.read(path, as_version=4)
    except OSError as error:
        raise NotebookError(tried, _french.system(error), "Vérifiez son chemin.") from None
    except Exception as error:  # nbformat raises whatever its parser and its validator raise
        raise NotebookError(
            tried, f"ce n’est pas un notebook ({error})", "Donnez un fichier .ipynb entier."
        ) from None


def _failed(path: Path, notebook: Any, index: int, found: str) -> NotebookError:
    source = notebook.cells[index].source.splitlines()
    shown = source[:_SHOWN_LINES] + (["…"] if len(source) > _SHOWN_LINES else [])
    number = sum(cell.cell_type == "code" for cell in notebook.cells[: index + 1])
    listing = "\n".join(f"    | {line}" for line in shown)
    return NotebookError(
        f"Exécuter {path}, cellule de code n° {number} :\n{listing}",
        found,
        "Ouvrez le notebook (« k8s-lab lab ») et exécutez les cellules jusqu’à celle-ci.",
    )


def _write_html(notebook: Any, target: Path) -> None:
    from nbconvert import HTMLExporter

    exporter = HTMLExporter()
    exporter.embed_images = True
    page, _ = exporter.from_notebook_node(notebook)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(page, encoding="utf-8")


def _replace(path: Path, notebook: Any) -> None:
    import nbformat

    write_whole(path, nbformat.writes(notebook) + "\n")


@click.command(
    cls=FrenchCommand,
    help="Démarre le cluster et ouvre JupyterLab sur les notebooks ; ce qui suit « -- » va à JupyterLab.",
)
@click.argument("arguments", metavar="[-- OPTIONS DE JUPYTERLAB]", nargs=-1, type=click.UNPROCESSED)
@cluster_options
def lab(selection: Selection, arguments: tuple[str, ...]) -> None:
    """Start the cluster and become JupyterLab, whose terminals and notebooks use that cluster."""
    from ..cluster.clusters import environment

    provider = selection.start()
    argv = [
        sys.executable,
        "-m",
        "jupyterlab",
        f"--ServerApp.root_dir={_paths.COURSE / 'notebooks'}",
        "--LabApp.default_url=/lab/tree/00_accueil.ipynb",
    ]
    if os.geteuid() == 0:
        argv.append("--allow-root")
    values = {**selection.environment(), **environment(provider)}
    replace_by([*argv, *arguments], values)
