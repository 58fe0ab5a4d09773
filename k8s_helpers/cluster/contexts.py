"""Which namespace plain `kubectl` looks in: the cluster's own kubeconfig says it to terminals, an overlay to a kernel.

`KUBECONFIG` of this process names two files: the overlay first, then the cluster's. What the overlay says of the
context counts, the rest comes from the cluster's file, which `up` may write anew at any time. So a terminal, or another
notebook, never moves what this one's cells look at.

Source: https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/#merging-kubeconfig-files
"""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from embedded_kubernetes import processes
from embedded_kubernetes.files import write_whole

from ..kube import kubeconfig as _kubeconfig

_FOLDER = "contexts"
_MAKER = "# "
"""An overlay's first line says which process it belongs to."""

_own: dict[Path, Path] = {}
"""Overlays of this process, by the kubeconfig of the cluster that they are laid over."""


def attach(kubeconfig: Path) -> None:
    """Give this process an overlay of its own, which ends with it; nothing happens where it has one."""
    if kubeconfig in _own and _own[kubeconfig].exists():
        return
    folder = kubeconfig.parent / _FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    _sweep(folder)
    own = folder / f"{os.getpid()}-{secrets.token_hex(3)}"
    write_overlay(own, kubeconfig, None)
    _own[kubeconfig] = own
    atexit.register(_remove, own, os.getpid())


def variable(kubeconfig: Path) -> str:
    """Return the value of `KUBECONFIG` by which kubectl finds a cluster from this process."""
    own = _own.get(kubeconfig)
    if own is None or not own.exists():
        return str(kubeconfig)
    return os.pathsep.join((str(own), str(kubeconfig)))


def use(kubeconfig: Path, namespace: str) -> None:
    """Make plain kubectl look in a namespace: in this process from now on, and in every terminal of the cluster."""
    if kubeconfig in _own:
        attach(kubeconfig)  # the cluster may have been made anew
        write_overlay(_own[kubeconfig], kubeconfig, namespace)
    with _lock(kubeconfig.parent):
        plain = _kubeconfig.read(kubeconfig)
        _context(plain)["context"]["namespace"] = namespace
        write_whole(kubeconfig, yaml.safe_dump(plain, sort_keys=False), private=True)


def write_overlay(path: Path, kubeconfig: Path, namespace: str | None) -> None:
    """Write a kubeconfig that, before a cluster's in `KUBECONFIG`, changes the namespace of its context alone.

    Parameters
    ----------
    path : Path
        The file to write.
    kubeconfig : Path
        The cluster's.
    namespace : str, optional
        Where kubectl shall look; in "default" otherwise.
    """
    chosen = _context(_kubeconfig.read(kubeconfig))
    context = {name: chosen["context"][name] for name in ("cluster", "user")}
    if namespace is not None:
        context["namespace"] = namespace
    overlay = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": chosen["name"],
        "contexts": [{"name": chosen["name"], "context": context}],
    }
    text = f"{_MAKER}{processes.identity()}\n{yaml.safe_dump(overlay, sort_keys=False)}"
    write_whole(path, text, private=True)


def _context(plain: dict[str, Any]) -> dict[str, Any]:
    """Return the current context of a kubeconfig that the course has made."""
    current = plain.get("current-context")
    entry: dict[str, Any] = next(item for item in plain["contexts"] if item["name"] == current)
    return entry


@contextlib.contextmanager
def _lock(folder: Path) -> Iterator[None]:
    # Not "kubeconfig.lock": kubectl takes a file of that name for its own lock, which it makes and deletes.
    with (folder / "contexts.lock").open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def _sweep(folder: Path) -> None:
    """Delete the overlays of processes that were killed."""
    for path in folder.iterdir():
        with contextlib.suppress(OSError):
            first = path.read_text().partition("\n")[0]
            if processes.has_ended(first.removeprefix(_MAKER)):
                path.unlink()


def _remove(own: Path, pid: int) -> None:
    if os.getpid() == pid:  # not in a child that was forked
        own.unlink(missing_ok=True)
