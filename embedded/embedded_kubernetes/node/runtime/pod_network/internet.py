"""The way from the pods' network to the internet, where `slirp4netns` is installed: connections that this user makes.

It opens nothing that others could connect to, and the way to this machine's own loopback is closed.
(source: https://github.com/rootless-containers/slirp4netns/blob/master/slirp4netns.1.md)
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from ....processes import CommandError, spawn

_log = logging.getLogger(__name__)

_PROGRAM = "slirp4netns"
_TUN = Path("/dev/net/tun")
_SHORT_LIFE_S = 10.0
"""One that has ended sooner is not started again: it cannot live here."""


def missing() -> str:
    """Return what pods lack here for the internet; "" for nothing."""
    if shutil.which(_PROGRAM) is None:
        return _PROGRAM
    return "" if os.access(_TUN, os.R_OK | os.W_OK) else str(_TUN)


class Internet:
    """Keeps the way open.

    Parameters
    ----------
    block : str
        What the addresses of the way's two ends begin with (`10.244.254`).
    lay : callable
        Lays routes in the node's network: the link's name, its address, and the other end's.
    log : Path
        Gets what the program writes.
    """

    def __init__(self, block: str, lay: Callable[[str, str, str], None], log: Path) -> None:
        self._block = block
        self._lay = lay
        self._log_path = log
        self._task: asyncio.Task[None] | None = None

    def start(self, namespaces: Sequence[int]) -> None:
        """Open the way from a network, in the background; nothing happens where it is open, or cannot be.

        Parameters
        ----------
        namespaces : sequence of int
            Descriptors of its user namespace, where it has one, and of itself.
        """
        if self._task is not None and not self._task.done():
            return
        what = missing()
        if what:
            _log.info("no internet for pods: %s cannot be used", what)
            return
        paths = [f"/proc/{os.getpid()}/fd/{descriptor}" for descriptor in namespaces]
        self._task = asyncio.create_task(self._keep(paths), name="internet")

    async def close(self) -> None:
        """Close the way."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def _keep(self, namespaces: Sequence[str]) -> None:
        lived_s = _SHORT_LIFE_S
        while lived_s >= _SHORT_LIFE_S:
            began_s = time.monotonic()
            try:
                await self._run(namespaces)
            except (CommandError, OSError):
                _log.exception("no internet for pods")
                return
            lived_s = time.monotonic() - began_s
        _log.warning("no internet for pods: %s ends at once, see %s", _PROGRAM, self._log_path)

    async def _run(self, namespaces: Sequence[str]) -> None:
        *users, network = namespaces
        link = "t" + os.urandom(6).hex()
        ready, tell_ready = os.pipe()
        argv = [
            _PROGRAM,
            "--disable-host-loopback",
            "--disable-dns",
            f"--cidr={self._block}.0/24",
            "--netns-type=path",
            *(f"--userns-path={path}" for path in users),
            f"--ready-fd={tell_ready}",
            network,
            link,
        ]
        process: subprocess.Popen[bytes] | None = None
        try:
            try:
                process = spawn(argv, log=self._log_path, pass_fds=(tell_ready,))
            finally:
                os.close(tell_ready)
            await _readable(ready)
            if os.read(ready, 1):
                self._lay(link, f"{self._block}.100", f"{self._block}.2")
            await _ended(process.pid)
        finally:
            os.close(ready)
            if process is not None:
                process.kill()
                process.wait()


async def _ended(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        descriptor = os.pidfd_open(pid)
        try:
            await _readable(descriptor)
        finally:
            os.close(descriptor)


async def _readable(descriptor: int) -> None:
    loop = asyncio.get_running_loop()
    event = asyncio.Event()
    loop.add_reader(descriptor, event.set)
    try:
        await event.wait()
    finally:
        loop.remove_reader(descriptor)
