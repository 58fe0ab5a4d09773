"""The start of a program with the ids that containers have, for work on files that are theirs (see `ranges.entry`).

Its arguments are the ids (JSON) and a command line, which it becomes; without one it only tries.
"""

from __future__ import annotations

import json
import os
import sys

from . import id_maps


def main() -> None:
    """Take the ids and become the program."""
    ids, *argv = sys.argv[1:]
    try:
        id_maps.enter(json.loads(ids), 0)
    except OSError as error:
        sys.exit(f"{error.filename}: {error.strerror}")
    if argv:
        os.execvp(argv[0], argv)
