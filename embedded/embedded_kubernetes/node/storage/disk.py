"""How much space files take."""

from __future__ import annotations

import os
from pathlib import Path


def written_bytes(folder: Path) -> int:
    """Return the disk space of the files in a folder, links not followed."""
    total = 0
    pending = [str(folder)]
    while pending:
        try:
            with os.scandir(pending.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        pending.append(entry.path)
                    else:
                        total += entry.stat(follow_symlinks=False).st_blocks * 512
        except OSError:
            continue  # it went away meanwhile
    return total


def used_bytes(folder: Path) -> int:
    """Return what the files of a file system take; 0 once it is gone."""
    try:
        status = os.statvfs(folder)
    except OSError:
        return 0
    return (status.f_blocks - status.f_bfree) * status.f_frsize
