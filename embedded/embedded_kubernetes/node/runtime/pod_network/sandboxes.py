"""The sandboxes of a node's pods, and the network of the cluster that they are in.

All nodes of a cluster share one network, in one user namespace: the first node makes it, another one joins it while any
node holds it. A node holds it, and its pods' namespaces, by open descriptors alone: when the node's process ends,
however that happens, the kernel takes away what no other node holds. A spawner that ends leaves them as they are, and
the next one goes into them again.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

from ....config import ClusterConfig
from ....files import write_whole
from ...cri import ContainerStartError, SandboxConfig
from .. import proctree
from .internet import Internet
from .link import NetworkLink

_HOLDER_FILE = "network.json"
"""In a node's folder: who holds the cluster's network there, and by which descriptors."""

_LOCK_FILE = "network.lock"
_UPLINK_BLOCK = 254
"""Third byte of the addresses of the way to the internet: no node has it for its pods."""


class Sandboxes:
    """The sandboxes of one node.

    Parameters
    ----------
    config : ClusterConfig
        The cluster; pods have a network of their own in it.
    node_name : str
        The node.
    fork : callable
        See `NetworkLink`.

    Attributes
    ----------
    link : NetworkLink
        The network process.
    internet : Internet
        The cluster's way to it, which its first node keeps.
    """

    def __init__(
        self, config: ClusterConfig, node_name: str, fork: Callable[[int, int], None]
    ) -> None:
        self._config = config
        self._node = config.path / "nodes" / node_name
        self._network: tuple[int, ...] = ()
        self._namespaces: dict[str, tuple[int, ...]] = {}
        addresses = [config.node_address(node_name)] if node_name in config.node_names else []
        self.link = NetworkLink(
            fork,
            {
                "service_cidr": config.service_cidr,
                "gateway": config.gateway,
                "addresses": addresses,
            },
        )

        block = config.pod_cidr.rsplit(".", 2)[0]
        log = config.path / "logs" / "internet.log"
        self.internet = Internet(f"{block}.{_UPLINK_BLOCK}", self.link.lay_uplink, log)
        self._is_first = node_name == config.node_names[0]

    @contextlib.asynccontextmanager
    async def joining(self) -> AsyncIterator[tuple[int, ...]]:
        """Give the namespaces that a new spawner is to go into: none where it is to make them.

        Two nodes that start together make one network: the second one waits.
        """
        if self._network:
            yield self._network
            return
        descriptor = os.open(self._config.path / _LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            await asyncio.to_thread(fcntl.flock, descriptor, fcntl.LOCK_EX)
            self._network = self._of_another_node()
            yield self._network
        finally:
            os.close(descriptor)

    def hold(self, spawner_pid: int) -> None:
        """Hold the namespaces that a spawner is in, and say so to the cluster's other nodes."""
        if not self._network:
            names = ("net",) if os.geteuid() == 0 else ("user", "net")
            self._network = tuple(
                os.open(f"/proc/{spawner_pid}/ns/{name}", os.O_RDONLY) for name in names
            )
        me = os.getpid()
        _, start = proctree.descent(me) or (0, 0)
        holder = {"pid": me, "start": start, "descriptors": self._network}
        write_whole(self._node / _HOLDER_FILE, json.dumps(holder))

    def start(self) -> None:
        """Have the network laid, and opened to the internet where that can be.

        Raises
        ------
        OSError
            The kernel refuses what the network needs: `filename` names it.
        """
        self.link.start()
        if self._is_first:
            self.internet.start(self._network)

    def command(self, argv: Sequence[str]) -> tuple[str, ...]:
        """Return the command line that runs a program of this machine in the cluster's network."""
        names = ("user", "net")[-len(self._network) :]
        entries = [
            f"--{name}=/proc/{os.getpid()}/fd/{descriptor}"
            for name, descriptor in zip(names, self._network, strict=True)
        ]
        return ("nsenter", "--preserve-credentials", *entries, "--", *argv)

    async def run(self, sandbox: SandboxConfig) -> None:
        """Make a pod's sandbox, unless it is there.

        Raises
        ------
        ContainerStartError
            The kernel refuses.
        """
        if sandbox.pod_uid in self._namespaces:
            return
        try:
            made = await self.link.make_pod(
                {
                    "hostname": sandbox.hostname,
                    "address": sandbox.address or "",
                    "gateway": self._config.gateway,
                    "sysctls": dict(sandbox.sysctls),
                }
            )
        except OSError as error:
            reason = f"{error.filename}: {error.strerror}" if error.filename else error.strerror
            raise ContainerStartError(
                f'failed to setup network for sandbox "{sandbox.pod_uid}": {reason}'
            ) from None
        self._namespaces[sandbox.pod_uid] = made

    def stop(self, pod_uid: str) -> None:
        """Let go of a pod's sandbox: the kernel takes it away once nothing runs in it."""
        for descriptor in self._namespaces.pop(pod_uid, ()):
            os.close(descriptor)

    def namespaces(self, pod_uid: str) -> tuple[int, ...]:
        """Return the descriptors of a pod's namespaces, as `layout.POD_NAMESPACES` has them.

        Raises
        ------
        ContainerStartError
            There is no such sandbox.
        """
        try:
            return self._namespaces[pod_uid]
        except KeyError:
            raise ContainerStartError(f'sandbox of pod "{pod_uid}" not found') from None

    async def close(self) -> None:
        """Let go of everything."""
        await self.internet.close()
        self.link.close()
        for pod_uid in tuple(self._namespaces):
            self.stop(pod_uid)
        (self._node / _HOLDER_FILE).unlink(missing_ok=True)
        for descriptor in self._network:
            os.close(descriptor)
        self._network = ()

    def _of_another_node(self) -> tuple[int, ...]:
        for file in self._node.parent.glob(f"*/{_HOLDER_FILE}"):
            holder = _read(file)
            if holder is not None and file.parent != self._node:
                with contextlib.suppress(OSError):  # it ends just now
                    return _opened(holder)
        return ()


def _read(file: Path) -> dict[str, Any] | None:
    """Return who holds the network by a file; None where he is gone."""
    try:
        holder: dict[str, Any] = json.loads(file.read_text())
    except (OSError, ValueError):
        return None
    known = proctree.descent(holder["pid"])
    return holder if known is not None and known[1] == holder["start"] else None


def _opened(holder: dict[str, Any]) -> tuple[int, ...]:
    opened: list[int] = []
    try:
        for descriptor in holder["descriptors"]:
            opened.append(os.open(f"/proc/{holder['pid']}/fd/{descriptor}", os.O_RDONLY))
    except OSError:
        for descriptor in opened:
            os.close(descriptor)
        raise
    return tuple(opened)
