"""What JupyterLab finds set when the course opens it; a student's own settings come first.

Sources: https://jupyterlab.readthedocs.io/en/stable/user/directories.html#labconfig-directories and, for the server,
https://jupyter-server.readthedocs.io/en/stable/operators/configuring-extensions.html
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

from embedded_kubernetes.files import write_whole

from ... import _paths
from ...cluster import terminal

_LAB = {
    # Without it a panel of a notebook that is opened again is "Error displaying widget: model not found".
    "@jupyter-widgets/jupyterlab-manager:plugin": {"saveState": True},
    # A terminal opens under the notebook, whose text stays in sight.
    "@jupyterlab/application-extension:shell": {
        "layout": {"multiple": {"Terminal": {"area": "main", "options": {"mode": "split-bottom"}}}}
    },
}


def found_by_jupyter() -> dict[str, str]:
    """Write the course's settings and return the variables by which Jupyter finds them."""
    folder = _paths.state_dir() / "jupyter"
    write(folder)
    set_before = os.environ.get("JUPYTER_CONFIG_PATH", "")
    return {"JUPYTER_CONFIG_PATH": os.pathsep.join(filter(None, (str(folder), set_before)))}


def write(folder: Path) -> None:
    """Write the settings of JupyterLab and of its terminals in a folder of Jupyter's configuration."""
    _write_json(folder / "labconfig" / "default_setting_overrides.json", _LAB)
    bash = shutil.which("bash")
    if bash is not None:
        start = folder / "terminal.bash"
        write_whole(start, terminal.start_file())
        shell = {"shell_command": [bash, "--rcfile", str(start), "-i"]}
        _write_json(
            folder / "jupyter_server_config.json", {"ServerApp": {"terminado_settings": shell}}
        )


def _write_json(file: Path, content: object) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    write_whole(file, json.dumps(content))
