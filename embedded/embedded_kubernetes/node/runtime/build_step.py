"""One `RUN` of a build: a process of its own that goes into the image's view and becomes the command.

`main` takes one argument, JSON: `settings` (see `namespaces.isolate`), and two requests of
`spawner.become`, `inside` for namespaces and `prefixed` where there are none (null: it cannot be). `copied` is the view
that `inside` gets where layers cannot be mounted.
"""

from __future__ import annotations

import io
import json
import marshal
import os
import signal
import sys

from . import namespaces, spawner
from . import syscalls as linux
from .users import credentials, id_answers


def main() -> None:
    """Run the command and end as it does."""
    linux.die_with_parent(signal.SIGKILL)
    linux.adopt_orphans()
    task = json.loads(sys.argv[1])
    base, refusal = namespaces.isolate(task["settings"])
    request = task["prefixed"] if base is None else task["inside"]
    if request is None:
        sys.exit(f"une image qui a ses propres fichiers demande des espaces de noms ({refusal})")
    trial = task["settings"]["trial"]
    if base is not None and "copied" in task and namespaces.overlay_refusal(trial):
        request["view"] = task["copied"]
    needed = base is not None and credentials.needs_answers(request)
    answerer = id_answers.fork(())[1] if needed else None
    reading, writing = os.pipe()
    pid = spawner.fork(base, None)
    if pid == 0:
        spawner.become(base, request, [writing, 0, 1, 2], answerer)
    os.close(writing)
    said = io.BytesIO(b"".join(iter(lambda: os.read(reading, 4096), b"")))
    while said.tell() < len(said.getvalue()):
        stage, *more = marshal.load(said)
        if stage not in ("identity", "one id"):
            _, text, path = more
            print(f"{stage}: {text}" + (f": {path}" if path else ""), file=sys.stderr)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    sys.exit(status if status >= 0 else 128 - status)
