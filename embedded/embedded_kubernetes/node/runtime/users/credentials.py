"""The last step before a container's program: its user, groups and capabilities, as a real runtime sets them.

Runs in the forked child, after it went into the container's view: only `os` and system calls.
(source: `finalizeNamespace` and `setupUser` of runc's `libcontainer/init_linux.go`)
"""

# Loaded by the spawner, which must stay small: no pathlib.
# ruff: noqa: PTH116

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, NamedTuple

from .. import syscalls as linux
from . import accounts, id_answers, id_maps, seccomp

if TYPE_CHECKING:
    import _socket
    from collections.abc import Mapping
    from typing import Any

    from .accounts import Identity, Wanted
    from .id_maps import IdMap

_MAX_FILE_BYTES = 4 << 20


class Emulation(NamedTuple):
    """How what a root with one id asks about ids is answered."""

    answerer: _socket.socket | None
    """Where `id_answers` listens; None where it is not needed."""
    questions: seccomp.Questions


def look_up(wanted: Wanted, ids: IdMap) -> Identity:
    """Return who is wanted, by the files of the root that this process sees, with the groups that he can have."""
    identity = accounts.resolve(wanted, _text("/etc/passwd"), _text("/etc/group"))
    if ids["name"] == id_maps.ROOT:
        return identity
    further = [gid for gid in identity.groups[1:] if id_maps.has(ids["groups"], gid)]
    alone = not _has(ids, identity)
    return identity._replace(groups=(identity.gid, *(() if alone else further)))


def take(
    ids: IdMap,
    identity: Identity,
    capabilities: frozenset[int],
    asked: Emulation,
    *,
    joined: bool,
    no_new: bool,
) -> str:
    """Become somebody, for good; return why a root with one id can become nobody else, or "" where he can.

    Parameters
    ----------
    ids : IdMap
        The ids that the node's containers have.
    identity : Identity
        Who to become; one whose ids are not there gets a user namespace in which this process's own look so.
    capabilities : set of int
        All that its programs can ever have.
    asked : Emulation
        How what a root with one id asks is answered.
    joined : bool
        Whether this process already is in such a namespace, a running container's.
    no_new : bool
        Whether programs may never gain what their parent does not have.
    """
    refusal = ""
    _give_streams(identity)
    alone = joined or not _has(ids, identity)
    if not alone:
        os.setgroups(identity.groups)
    elif not joined and (identity.uid, identity.gid) != (0, 0):
        linux.unshare(linux.CLONE_NEWUSER)
        id_maps.map_one((identity.uid, 0, 1), (identity.gid, 0, 1))
    os.setresgid(identity.gid, identity.gid, identity.gid)
    linux.drop_capabilities(capabilities)
    linux.forget_inheritable_capabilities()
    if alone and identity.uid == 0:
        # While this process may still do so and setuid programs keep their effect.
        refusal = _emulate_root(identity, asked)
    else:
        os.setresuid(identity.uid, identity.uid, identity.uid)
    if no_new:
        linux.forbid_new_privileges()
    return refusal


def _emulate_root(identity: Identity, asked: Emulation) -> str:
    try:
        listener = seccomp.emulate_root(asked.questions)
    except OSError as error:
        return str(error.strerror)
    assert asked.answerer is not None
    id_answers.introduce(asked.answerer, listener, identity)
    os.close(listener)
    return ""


def needs_answers(request: Mapping[str, Any]) -> bool:
    """Return whether a request of the spawner's may come to a root that has one id."""
    somebody = "identity" in request or request.get("user") is not None
    return somebody and bool(request["ids"]["name"] == id_maps.SINGLE)


def _has(ids: IdMap, identity: Identity) -> bool:
    """Return whether an identity's user and group are ids that this process can change to."""
    if ids["name"] in (id_maps.ROOT, id_maps.SINGLE):
        return ids["name"] == id_maps.ROOT
    return id_maps.has(ids["groups"], identity.gid) and id_maps.has(ids["users"], identity.uid)


def join(descriptor: int) -> bool:
    """Go into a container's user namespace; return whether it is another one than this process's."""
    theirs, ours = os.fstat(descriptor), os.stat("/proc/self/ns/user")
    other = theirs.st_ino != ours.st_ino
    if other:
        linux.enter_namespace(descriptor, linux.CLONE_NEWUSER)
    return other


def _give_streams(identity: Identity) -> None:
    """Let the program open its own streams anew by `/dev/stdout` and the like."""
    for descriptor in (0, 1, 2):
        status = os.fstat(descriptor)
        if status.st_uid == identity.uid or stat.S_ISREG(status.st_mode):
            continue
        if stat.S_ISCHR(status.st_mode) and not os.isatty(descriptor):
            continue
        try:
            os.fchown(descriptor, identity.uid, -1)
        except OSError:
            continue  # an id that is not mapped: the stream is the process's own all the same


def _text(path: str) -> str:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except OSError:
        return ""
    try:
        return os.read(descriptor, _MAX_FILE_BYTES).decode(errors="replace")
    finally:
        os.close(descriptor)
