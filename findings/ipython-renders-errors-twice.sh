#!/usr/bin/env bash
# IPython renders the error of a cell twice where the cell goes into the history, as every cell of a notebook does.
#
# Versions:  IPython 9.18.1.
# Expected:  `_render_traceback_`, by which an exception says how it is shown, is called once: it is shown once.
# Seen:      with store_history=True a second rendering follows, which nobody sees: it is kept beside the history
#            ("store_history=False: 1 rendering, shown once", "store_history=True: 2 renderings, shown once").
# For users: an error that looks something up while it is rendered (a cluster that is asked why) does so twice, and a
#            stop button pressed meanwhile may meet the second one, when the cell seems to be over.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check ipython==9.18.1
cat > "$work/render.py" <<'PY'
import contextlib, io, sys
from IPython.core.interactiveshell import InteractiveShell

CELL = """
class Explained(Exception):
    def _render_traceback_(self):
        rendered.append(1)
        return ["why it failed"]
raise Explained()
"""
shell = InteractiveShell.instance()
shell.history_manager.enabled = False
seen = {}
for stored in (False, True):
    shell.user_ns["rendered"] = rendered = []
    shown = io.StringIO()
    with contextlib.redirect_stdout(shown):
        shell.run_cell(CELL, store_history=stored)
    seen[stored] = (len(rendered), shown.getvalue().count("why it failed"))
    words = "rendering" if len(rendered) == 1 else "renderings"
    print(f"store_history={stored}: {len(rendered)} {words}, shown {'once' if seen[stored][1] == 1 else seen[stored][1]}")
sys.exit(seen != {False: (1, 1), True: (2, 1)})
PY
HOME=$work IPYTHONDIR=$work/ipython "$work/venv/bin/python" "$work/render.py"
