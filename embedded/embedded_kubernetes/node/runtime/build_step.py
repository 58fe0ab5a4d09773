"""One `RUN` of a build: a process of its own that goes into the image's view and becomes the command.

`main` takes one argument, JSON: `settings` (see `namespaces.isolate`), and two requests of
`spawner.become`, `inside` for namespaces and `prefixed` where there are none.
"""

from __future__ import annotations

import json
import marshal
import os
import signal
import sys

from . import namespaces, spawner
from . import syscalls as linux


def main() -> None:
    """Run the command and end as it does."""
    linux.die_with_parent(signal.SIGKILL)
    linux.adopt_orphans()
    task = json.loads(sys.argv[1])
    base, _ = namespaces.isolate(task["settings"])
    request = task["prefixed"] if base is None else task["inside"]
    reading, writing = os.pipe()
    pid = spawner.fork(base, None)
    if pid == 0:
        spawner.become(base, request, [writing, 0, 1, 2])
    os.close(writing)
    failure = os.read(reading, 4096)
    if failure:
        stage, _, text, path = marshal.loads(failure)
        print(f"{stage}: {text}: {path}", file=sys.stderr)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    sys.exit(status if status >= 0 else 128 - status)
