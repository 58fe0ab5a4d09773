#!/usr/bin/env bash
# nbclient saves the state of widgets that were closed, and of those that no output ever showed.
#
# Versions:  nbclient 0.11.0, ipywidgets 8.1.9, ipykernel 7.4.0.
# Expected:  `metadata.widgets` of an executed notebook holds the models that its outputs need; a widget's close() sends
#            `comm_close`, which says that its model is no more.
# Seen:      nbclient listens to `comm_open` and `comm_msg` only. 20 sliders made and closed, 5 made, 1 of them shown:
#            75 models are saved (25 sliders, each with its layout and its style) where 3 are enough.
# For users: a helper that draws a progress bar and closes it makes every executed notebook heavier, for good.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet nbclient==0.11.0 ipywidgets==8.1.9 ipykernel==7.4.0 nbformat==5.10.4

cat > "$folder/execute.py" <<'PYTHON'
import collections
import sys

import nbclient
import nbformat

MAKE = """
import ipywidgets
for _ in range(20):
    ipywidgets.IntSlider().close()
kept = [ipywidgets.IntSlider() for _ in range(5)]
"""
book = nbformat.v4.new_notebook()
book.cells = [nbformat.v4.new_code_cell(source) for source in (MAKE, "kept[0]")]
nbclient.NotebookClient(book, timeout=120).execute()
saved = book.metadata["widgets"]["application/vnd.jupyter.widget-state+json"]["state"]
shown = [
    output["data"]["application/vnd.jupyter.widget-view+json"]["model_id"]
    for cell in book.cells
    for output in cell.outputs
    if "application/vnd.jupyter.widget-view+json" in output.get("data", {})
]
counted = collections.Counter(model["model_name"] for model in saved.values())
print(f"{len(shown)} widget shown, {len(saved)} models saved: {dict(counted)}")
sys.exit(not (len(shown) == 1 and counted["IntSliderModel"] == 25 and len(saved) == 75))
PYTHON

export JUPYTER_PLATFORM_DIRS=1 IPYTHONDIR="$folder/ipython" JUPYTER_CONFIG_DIR="$folder/config"
PATH="$folder/venv/bin:$PATH" "$folder/venv/bin/python" -m ipykernel install --prefix "$folder/venv" > /dev/null 2>&1
"$folder/venv/bin/python" "$folder/execute.py" 2> /dev/null
echo "as recorded: nbclient keeps the models of closed widgets"
