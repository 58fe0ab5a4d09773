"""What the API server connects to inside the cluster: pods, Services and kubelets, through one unix socket.

Pods show `10.244.a.b`, an address that no network leads to: the API server is told (`control_plane.egress_selector`) to
ask this proxy for every connection into the cluster, as it would ask konnectivity for one into another network.
(source: https://kubernetes.io/docs/tasks/extend-kubernetes/setup-konnectivity/)
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable

from ...config import ClusterConfig
from ..network.sockets import Sockets
from ..tasks import Tasks
from .accepting import Acceptor
from .destinations import Destinations, UnreachableError
from .http_proxy import ESTABLISHED, RefusalError, parse_head, read_head
from .pump import Joint
from .service_table import ServiceTable

Adopt = Callable[[socket.socket], Awaitable[None]]


class Egress:
    """The proxy's listener.

    Parameters
    ----------
    config : ClusterConfig
        Gives the socket, in a folder that only this user can enter.
    node_name : str
        This node.
    table : ServiceTable
        Services and endpoints; started by its owner.
    adopt : callable
        Takes over a connection that is for this node's own kubelet API: nothing has to be copied.
    sockets : Sockets
        Of the pods' network.
    """

    def __init__(
        self,
        config: ClusterConfig,
        node_name: str,
        table: ServiceTable,
        adopt: Adopt,
        sockets: Sockets,
    ) -> None:
        self._path = config.egress_socket
        port = config.kubelet_ports[config.node_names.index(node_name)]
        self._kubelet = (config.node_shown(node_name), port)
        self._adopt = adopt
        self._destinations = Destinations(table, sockets)
        self._joints: set[Joint] = set()
        self._tasks = Tasks()

    async def start(self) -> None:
        """Listen."""
        self._loop = asyncio.get_running_loop()
        self._path.unlink(missing_ok=True)  # an earlier node's
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        self._socket.bind(str(self._path))
        self._socket.listen(512)
        self._acceptor = Acceptor(self._loop, self._socket, self._take)
        self._acceptor.start()

    async def close(self) -> None:
        """Close the listener and every connection."""
        self._acceptor.stop()
        self._socket.close()
        self._path.unlink(missing_ok=True)
        await self._tasks.close()
        for joint in list(self._joints):
            joint.abort()

    def _take(self, client: socket.socket, peer: object) -> None:
        self._tasks.start(self._serve(client))

    async def _serve(self, client: socket.socket) -> None:
        with contextlib.ExitStack() as stack:
            stack.callback(client.close)
            try:
                head, rest = await read_head(client)
                request = parse_head(head)
                server = None
                if (request.host, request.port) != self._kubelet:
                    server = await self._destinations.dial(request.host, request.port, "default")
                    stack.callback(server.close)
                await self._loop.sock_sendall(client, ESTABLISHED)
            except UnreachableError as error:
                # The API server says no more of it to its own client than the status.
                with contextlib.suppress(OSError):
                    await self._loop.sock_sendall(
                        client, f"HTTP/1.1 502 {error}\r\n\r\n".encode("ascii", "replace")
                    )
                return
            except (RefusalError, OSError, TimeoutError):
                return
            stack.pop_all()
        if server is None:
            await self._adopt(client)
            return
        joint = Joint(self._loop, client, server, self._joints.discard)
        self._joints.add(joint)
        joint.start(rest)
