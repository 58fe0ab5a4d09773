"""A JupyterLab terminal beside the notebook: bash, on the notebook's cluster, `kubectl` with its completion.

A button of an output asks JupyterLab for it (its command linker: no extension is needed). The shell's start file reads
which cluster is meant; the namespace is the kubeconfig's, which kubectl reads each time.
"""

from __future__ import annotations

import html
import json
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from embedded_kubernetes.files import write_whole

from .. import _paths
from .._interruption import stoppable

if TYPE_CHECKING:
    from ..providers.base import Provider


def _cluster_file() -> Path:
    return _paths.state_dir() / "jupyter" / "cluster.sh"


def start_file() -> str:
    """Return what bash reads when a terminal opens."""
    text = Path(__file__).with_suffix(".bash").read_text("utf-8")
    return f"k8s_lab_cluster={shlex.quote(str(_cluster_file()))}\n{text}"


def use(provider: Provider) -> None:
    """Have the terminals that are opened from now on use a cluster."""
    from .clusters import environment

    lines = [f"export {name}={shlex.quote(value)}" for name, value in environment(provider).items()]
    file = _cluster_file()
    file.parent.mkdir(parents=True, exist_ok=True)
    write_whole(file, "\n".join([*lines, ""]))


class TerminalButton:
    """Shows itself as a button that opens a cluster's terminal in JupyterLab, and as words elsewhere.

    Parameters
    ----------
    provider : Provider
        The cluster. The terminal is named after it: a second press leads to the same one.
    """

    def __init__(self, provider: Provider) -> None:
        # A name with a hyphen would be made and never reached: its WebSocket has a route for \\w+ alone.
        parts = filter(None, (provider.kind, provider.name))
        self._name = re.sub(r"\W", "_", "_".join(parts))

    def __repr__(self) -> str:
        return 'Un terminal : menu File, New, Terminal. Hors de JupyterLab : eval "$(k8s-lab env)"'

    def _repr_html_(self) -> str:
        arguments = html.escape(json.dumps({"name": self._name}), quote=True)
        return (
            '<button type="button" style="padding:.3em .8em;cursor:pointer" '
            f'data-commandlinker-command="terminal:open" data-commandlinker-args="{arguments}">'
            "Ouvrir un terminal</button>"
        )


@stoppable
def terminal() -> TerminalButton:
    """Return a button that opens, under the notebook, a terminal on the cluster in use.

    `kubectl` is there, with its completion, and looks into the namespace that the notebook uses (`Namespace.use`).

    Raises
    ------
    ClusterUnreachableError
        The notebook is connected to none.
    """
    from . import current_cluster

    provider = current_cluster().provider
    use(provider)
    return TerminalButton(provider)
