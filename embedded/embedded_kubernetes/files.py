"""Files that are written whole or not at all, and folders that are deleted whatever containers left in them."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shutil
from pathlib import Path

from . import paths
from .errors import ResourceError, system

_NO_PLACE = (errno.ENOSPC, errno.EDQUOT)


def write_whole(path: Path, content: str | bytes, *, private: bool = False) -> None:
    """Write a file beside the one that it then replaces: who reads it meanwhile finds the old text or the new one.

    Two programs may do so at the same time (two `up`): each has a draft of its own, and the last one stays.

    Parameters
    ----------
    path : Path
        In a folder that exists.
    content : str or bytes
        Text is written in UTF-8.
    private : bool
        Nobody but its owner can read it.

    Raises
    ------
    OSError
        It cannot be written; the old one is still there, and no draft.
    ResourceError
        So it is because the disk is full.
    """
    data = content.encode() if isinstance(content, str) else content
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    try:
        with os.fdopen(os.open(draft, flags, 0o600 if private else 0o666), "wb") as stream:
            stream.write(data)
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        if error.errno in _NO_PLACE:
            raise ResourceError(
                f"Écrire {path}",
                system(error),
                f"Libérez de la place, puis recommencez ; « {paths.command()} doctor » dit combien il en faut.",
            ) from error
        raise


def delete(folder: Path) -> None:
    """Delete a folder with all that is in it; nothing happens where it does not exist."""
    for place, names, _ in os.walk(folder):
        for path in (Path(place) / name for name in names):
            # A container, or the kernel's overlayfs, may have left one that its owner cannot enter.
            if not path.is_symlink():
                path.chmod(0o700)
    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree(folder)
