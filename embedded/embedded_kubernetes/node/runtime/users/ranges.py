"""The choice of the ids that containers get: a range where the system grants one and it works, else what there is."""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import shutil
from functools import cache
from pathlib import Path

from ....processes import CommandError, run
from ..layers import copying
from ..spawner_link import boot_argv
from . import id_maps

_SUB_USERS = Path("/etc/subuid")
_SUB_GROUPS = Path("/etc/subgid")
_TIMEOUT_S = 20.0
_DELETE_TIMEOUT_S = 600.0
_LEAST = 65536
"""A smaller range lacks `nobody` (65534), which images use."""


@cache
def id_map() -> id_maps.IdMap:
    """Return the ids that this user's containers have, tried once for real."""
    own = id_maps.own()
    if own["name"] != id_maps.SINGLE or os.geteuid() == 0:
        return own
    granted = _granted()
    if granted is None or why_refused(granted) is not None:
        return own
    return granted


def name() -> str:
    """Return `root`, `range-FIRST-COUNT` or `single`: who owns what is unpacked (see `id_maps`)."""
    return id_map()["name"]


def why_single() -> str | None:
    """Return in French why containers have one id only, or None where they have as many as they want."""
    if name() != id_maps.SINGLE:
        return None
    if os.geteuid() == 0:
        return "ce programme tourne déjà dans un espace d’utilisateurs qui n’a qu’un identifiant"
    missing = [name for name in ("newuidmap", "newgidmap") if shutil.which(name) is None]
    if missing:
        return f"{' et '.join(missing)} : programme introuvable (paquet « uidmap »)"
    granted = _granted()
    if granted is None:
        return (
            f"{_SUB_USERS} et {_SUB_GROUPS} n’accordent pas {_LEAST} identifiants à {_account()[0]}"
        )
    return f"newuidmap : {why_refused(granted)}"


def why_refused(ids: id_maps.IdMap) -> str | None:
    """Go into a user namespace with these ids, in a process of its own; return the refusal's words, or None."""
    try:
        run(boot_argv("users.mapped", json.dumps(ids)), timeout_s=_TIMEOUT_S)
    except CommandError as error:
        return error.found
    return None


def entry() -> tuple[str, ...]:
    """Return what to put before a command line for it to run with the ids that containers have.

    Nothing where these are the caller's own. Descriptors are passed on.
    """
    if not name().startswith("range-"):
        return ()
    return (*boot_argv("users.mapped", json.dumps(id_map())),)


def delete(folder: Path) -> None:
    """Delete a folder, with what belongs to ids of containers, as far as that goes."""
    with contextlib.suppress(OSError):
        copying.remove(str(folder))
    if entry() and folder.exists():
        with contextlib.suppress(CommandError):
            run([*remover(), json.dumps(["remove", str(folder)])], timeout_s=_DELETE_TIMEOUT_S)


def written_bytes(folder: Path) -> int | None:
    """Return the disk space of a folder with files of other ids, None where nobody here may look."""
    if not entry():
        return None
    try:
        done = run([*remover(), json.dumps(["measure", str(folder)])], timeout_s=_TIMEOUT_S)
    except CommandError:
        return None
    return int(done.stdout)


def remover() -> list[str]:
    """Return the command line that does a task of `file_tasks` as the owner of all ids, but for the task (JSON)."""
    return [*entry(), *boot_argv("users.file_tasks")]


def span(text: str, account: str, number: int) -> tuple[int, int] | None:
    """Return the first id and the size of the largest range that a file of subordinate ids grants an account.

    Parameters
    ----------
    text : str
        The content of `/etc/subuid` or `/etc/subgid` (`subuid(5)`): `NAME-OR-UID:FIRST:COUNT` a line.
    account, number : str, int
        The account's name and uid.
    """
    spans = []
    for line in text.splitlines():
        fields = line.strip().split(":")
        theirs = len(fields) == 3 and fields[0] in (account, str(number))
        if theirs and fields[1].isdigit() and fields[2].isdigit():
            spans.append((int(fields[1]), int(fields[2])))
    large = [each for each in spans if each[1] >= _LEAST]
    return max(large, key=lambda each: each[1], default=None)


def _granted() -> id_maps.IdMap | None:
    programs = shutil.which("newuidmap"), shutil.which("newgidmap")
    account, number = _account()
    users = span(_text(_SUB_USERS), account, number)
    groups = span(_text(_SUB_GROUPS), account, number)
    if users is None or groups is None or programs[0] is None or programs[1] is None:
        return None
    first, count = users[0], min(users[1], groups[1], _LEAST)
    return {
        "name": f"range-{first}-{count}",
        "users": [(0, os.geteuid(), 1), (1, first, count)],
        "groups": [(0, os.getegid(), 1), (1, groups[0], count)],
        "programs": (programs[0], programs[1]),
    }


def _account() -> tuple[str, int]:
    number = os.getuid()
    try:
        return pwd.getpwuid(number).pw_name, number
    except KeyError:
        return str(number), number


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""
