"""`k8s-lab run`: notebooks executed without a browser."""

from __future__ import annotations

import asyncio
import collections
import contextlib
import itertools
import os
import signal
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from embedded_kubernetes.files import write_whole

from ... import _french, _progress
from ..._errors import NotebookError, UsageError
from ..french import FrenchCommand
from ..options import Selection, cluster_options
from . import widget_state

if TYPE_CHECKING:
    from nbclient import NotebookClient

    from ..._progress import Progress

CELL_TIMEOUT_S = 900
"""Longer than any measure of the course takes on a slow machine."""

_LEAVE_S = 15.0
"""Longest wait for a cell that is interrupted: an experiment deletes its namespaces."""

MOST_JOBS = 8
"""More clusters at once are a typing mistake."""

_SHOWN_LINES = 12


@click.command(
    "run",
    cls=FrenchCommand,
    help="Exécute des notebooks, cellule par cellule, sans toucher à votre progression. Code 15 si une cellule échoue.",
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
@click.option(
    "--jobs",
    metavar="N",
    type=click.IntRange(1, MOST_JOBS),
    default=1,
    help="Combien à la fois, chacun sur un cluster embarqué à lui (environ 0,8 Go chacun).",
)
@cluster_options
def run_notebooks(
    selection: Selection, notebooks: tuple[Path, ...], html: Path | None, save: bool, jobs: int
) -> None:
    """Execute notebooks with progress; the first cell that fails ends it with an error that shows the cell."""
    os.environ.update(selection.environment())
    os.environ.setdefault("K8S_HELPERS_LIVE", "0")
    progress = _progress.reporter()

    def keep(path: Path, notebook: Any) -> None:
        if html is not None:
            _write_html(notebook, html / f"{path.stem}.html")
        if save:
            _replace(path, notebook)

    try:
        with contextlib.ExitStack() as stack:
            lanes: list[Mapping[str, str]] = [{}]
            if jobs > 1:
                lanes = _lanes(selection, min(jobs, len(notebooks)), save, stack)
            asyncio.run(_execute_all(notebooks, lanes, progress, keep))
    finally:
        progress.done()
    click.echo(f"{len(notebooks)} notebook(s) exécuté(s) sans erreur.")


def _lanes(
    selection: Selection, count: int, save: bool, stack: contextlib.ExitStack
) -> list[Mapping[str, str]]:
    """Return what makes a kernel choose its cluster: the one that is meant, then others, which end with `stack`.

    Raises
    ------
    UsageError
        Another provider than embedded; outputs to keep, which would name clusters that exist no more.
    """
    from ...providers import remember
    from ...providers.embedded import EmbeddedProvider

    tried = "Exécuter plusieurs notebooks à la fois"
    first = selection.open()
    if not isinstance(first, EmbeddedProvider):
        raise UsageError(
            tried,
            f"le fournisseur « {first.kind} » n’a qu’un cluster pour tous",
            "Ajoutez « --provider embedded », ou enlevez « --jobs ».",
        )
    if save:
        raise UsageError(
            tried,
            "« --save » garderait des sorties où se lit le nom de clusters provisoires",
            "Enlevez « --jobs », ou « --save ».",
        )
    stack.callback(remember, first)  # notebooks of other lanes make theirs the one in use
    clusters = [first]
    for number in itertools.count(2):
        if len(clusters) == count:
            break
        provider = EmbeddedProvider(f"{first.name}-{number}")
        if provider.status().state == "absent":
            stack.callback(provider.down, _progress.Silent())
            clusters.append(provider)
    return [Selection(provider.kind, provider.name).environment() for provider in clusters]


async def _execute_all(
    notebooks: Sequence[Path],
    lanes: Sequence[Mapping[str, str]],
    progress: Progress,
    keep: Callable[[Path, Any], None],
) -> None:
    """Execute notebooks in their order, each in the first lane that is free; the first error ends all."""
    waiting = collections.deque(notebooks)
    stop, interrupted = asyncio.Event(), asyncio.Event()

    def interrupt() -> None:
        interrupted.set()
        stop.set()

    async def work(environment: Mapping[str, str]) -> None:
        while waiting and not stop.is_set():
            path = waiting.popleft()
            try:
                keep(path, await _execute(path, progress, environment, stop))
            except BaseException:
                stop.set()
                raise

    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGINT, interrupt)
    try:
        ends = await asyncio.gather(*map(work, lanes), return_exceptions=True)
    finally:
        loop.remove_signal_handler(signal.SIGINT)
    if interrupted.is_set():
        raise KeyboardInterrupt
    for end in ends:
        if end is not None and not isinstance(end, _StoppedError):
            raise end


class _StoppedError(Exception):
    """Its student wants no more, or a notebook beside it failed."""


async def _execute(
    path: Path, progress: Progress, environment: Mapping[str, str], stop: asyncio.Event
) -> Any:
    """Run every cell of a notebook in a kernel of its own and return it with its outputs.

    Parameters
    ----------
    path : Path
        The notebook; its cells run in its folder.
    progress : Progress
        Shows each cell.
    environment : mapping
        What the kernel has besides this process's own.
    stop : Event
        Once set, the cell that runs is interrupted, so that its experiment can tidy up, and the notebook left.

    Raises
    ------
    NotebookError
        Not a notebook, a cell that raises or takes more than `CELL_TIMEOUT_S`, a kernel that dies.
    """
    from nbclient import NotebookClient

    notebook = _read(path)
    client = NotebookClient(
        notebook,
        timeout=CELL_TIMEOUT_S,
        record_timing=False,
        coalesce_streams=True,
        resources={"metadata": {"path": str(path.parent)}},
        extra_arguments=["--IPKernelApp.log_level=ERROR"],
    )
    with tempfile.TemporaryDirectory(prefix="k8s-lab-") as folder:
        # A first check gives a first hint, whatever was tried here before; and who executes notebooks learns nothing.
        journal = {"K8S_HELPERS_PROGRESS": str(Path(folder) / "progress.json")}
        await _execute_cells(client, {**environment, **journal}, path, progress, stop)
    return notebook


async def _execute_cells(
    client: NotebookClient,
    environment: Mapping[str, str],
    path: Path,
    progress: Progress,
    stop: asyncio.Event,
) -> None:
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    notebook = client.nb
    cells = [index for index, cell in enumerate(notebook.cells) if cell.cell_type == "code"]
    async with _kernel(client, environment):
        for done, index in enumerate(cells):
            progress.step(
                f"{path.name} : cellule {done + 1} sur {len(cells)}", done / max(len(cells), 1)
            )
            try:
                await _execute_cell(client, index, done + 1, stop)
            except CellExecutionError as error:
                raise _failed(path, notebook, index, f"{error.ename} : {error.evalue}") from None
            except CellTimeoutError:
                reason = f"la cellule n’a pas fini en {CELL_TIMEOUT_S} s"
                raise _failed(path, notebook, index, reason) from None
            except DeadKernelError:
                raise _failed(path, notebook, index, "le noyau Python s’est arrêté") from None
        client.set_widgets_metadata()
        widget_state.keep_shown(notebook)


async def _execute_cell(
    client: NotebookClient, index: int, number: int, stop: asyncio.Event
) -> None:
    from jupyter_core.utils import ensure_async

    running = asyncio.ensure_future(
        client.async_execute_cell(client.nb.cells[index], index, execution_count=number)
    )
    stopping = asyncio.ensure_future(stop.wait())
    await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if not running.done():
        assert client.km is not None
        await ensure_async(client.km.interrupt_kernel())
        await asyncio.wait({running}, timeout=_LEAVE_S)
        running.cancel()
        await asyncio.wait({running})
        raise _StoppedError from running.exception()
    running.result()


@contextlib.asynccontextmanager
async def _kernel(client: NotebookClient, environment: Mapping[str, str]) -> AsyncIterator[None]:
    """Give a client a kernel of its own while a block runs."""
    from jupyter_core.utils import ensure_async

    client.km = client.create_kernel_manager()
    await client.async_start_new_kernel(env={**os.environ, **environment})
    try:
        await client.async_start_new_kernel_client()
        yield
    finally:
        await ensure_async(client.km.shutdown_kernel())
        if client.kc is not None:
            client.kc.stop_channels()


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


def _failed(path: Path, notebook: Any, index: int, reason: str) -> NotebookError:
    source = notebook.cells[index].source.splitlines()
    shown = source[:_SHOWN_LINES] + (["…"] if len(source) > _SHOWN_LINES else [])
    number = sum(cell.cell_type == "code" for cell in notebook.cells[: index + 1])
    listing = "\n".join(f"    | {line}" for line in shown)
    return NotebookError(
        f"Exécuter {path}, cellule de code n° {number} :\n{listing}",
        reason,
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
