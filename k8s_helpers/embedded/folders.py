"""Deletes folders in which containers have written."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path
from typing import Any


def delete(folder: Path) -> None:
    """Delete a folder with all that is in it; nothing happens where it does not exist."""

    def open_and_retry(function: Any, path: str, _: Any) -> None:
        # A container may have left a folder that its owner cannot write.
        os.chmod(Path(path).parent, 0o700)  # noqa: PTH101
        with contextlib.suppress(FileNotFoundError):
            os.chmod(path, 0o700)  # noqa: PTH101
            function(path)

    if folder.exists():
        shutil.rmtree(folder, onerror=open_and_retry)
