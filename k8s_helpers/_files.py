"""Files that are written whole or not at all: who reads one meanwhile finds the old text or the new one."""

from __future__ import annotations

import errno
import os
import secrets
from pathlib import Path

from . import _french
from ._errors import ResourceError

_NO_PLACE = (errno.ENOSPC, errno.EDQUOT)


def write_whole(path: Path, content: str | bytes, *, private: bool = False) -> None:
    """Write a file beside the one that it then replaces.

    Two programs may do so at the same time (two `k8s-lab up`): each has a draft of its own, and the last one stays.

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
                _french.system(error),
                "Libérez de la place, puis recommencez ; « k8s-lab doctor » dit combien il en faut.",
            ) from error
        raise
