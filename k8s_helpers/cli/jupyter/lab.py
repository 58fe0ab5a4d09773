"""`k8s-lab lab`: JupyterLab on the course's folder, its notebooks and terminals on the course's cluster."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import click

from embedded_kubernetes.processes import replace_by

from ... import _paths
from ..french import FrenchCommand
from ..options import Selection, cluster_options
from . import settings

FIRST_PAGE = "notebooks/00_accueil.ipynb"
_DEFAULTS = {
    # Notebooks link to what is beside their folder: applications, exercises, pages.
    "--ServerApp.root_dir": _paths.COURSE,
    "--LabApp.default_url": f"/lab/tree/{FIRST_PAGE}",
}
"""Options of JupyterLab, which takes none of them twice."""


@click.command(
    cls=FrenchCommand,
    help="Démarre le cluster et ouvre JupyterLab sur les notebooks ; ce qui suit « -- » va à JupyterLab.",
)
@click.argument("arguments", metavar="[-- OPTIONS DE JUPYTERLAB]", nargs=-1, type=click.UNPROCESSED)
@cluster_options
def lab(selection: Selection, arguments: tuple[str, ...]) -> None:
    """Start the cluster and become JupyterLab, whose terminals and notebooks use that cluster."""
    from ...cluster import terminal
    from ...cluster.clusters import environment

    provider = selection.start()
    terminal.use(provider)
    argv = [sys.executable, "-m", "jupyterlab"]
    argv += [f"{name}={value}" for name, value in _DEFAULTS.items() if not _is_in(name, arguments)]
    if os.geteuid() == 0:
        argv.append("--allow-root")
    values = {
        **selection.environment(),
        **environment(provider),
        **settings.found_by_jupyter(),
    }
    replace_by([*argv, *arguments], values)


def _is_in(name: str, arguments: Sequence[str]) -> bool:
    return any(given.partition("=")[0] == name for given in arguments)
