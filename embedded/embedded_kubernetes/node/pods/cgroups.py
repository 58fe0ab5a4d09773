"""The files of limits that containers see below `/sys/fs/cgroup` (see `rules.cgroup_files`)."""

from __future__ import annotations

from pathlib import Path

from ...files import write_whole
from ..cri import Mount
from ..records import Record
from ..rules.cgroup_files import cgroup_files
from ..rules.resources import limits
from .context import PodContext

_PLACE = "/sys/fs/cgroup"


def mounts(context: PodContext, record: Record) -> tuple[Mount, ...]:
    """Write a container's files and return where it sees them; nothing where it has that place for itself."""
    own = (mount["mountPath"] for mount in record.spec.get("volumeMounts") or ())
    if context.node.runtime.isolation == "prefix" or not Path(_PLACE).is_dir():
        return ()
    if any(path.rstrip("/") in ("/sys", "/sys/fs", _PLACE) for path in own):
        return ()
    write(context, record)
    return (Mount(_folder(context, record), _PLACE, read_only=True),)


def write(context: PodContext, record: Record) -> None:
    """Write what the node has granted a container."""
    folder = _folder(context, record)
    allowed = limits(record.allocated, context.allocated)
    for path, text in cgroup_files(record.allocated, allowed).items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        write_whole(file, text)


def _folder(context: PodContext, record: Record) -> Path:
    return context.folder / "cgroups" / record.name
