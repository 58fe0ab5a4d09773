"""How much space files take."""

from __future__ import annotations

import os
from pathlib import Path

from ..runtime.users import ranges
from ..runtime.users.file_tasks import written


def written_bytes(folder: Path) -> int:
    """Return the disk space of the files in a folder, links not followed, whoever they belong to."""
    total, complete = written(str(folder))
    if not complete:
        return ranges.written_bytes(folder) or total
    return total


def used_bytes(folder: Path) -> int:
    """Return what the files of a file system take; 0 once it is gone."""
    try:
        status = os.statvfs(folder)
    except OSError:
        return 0
    return (status.f_blocks - status.f_bfree) * status.f_frsize
