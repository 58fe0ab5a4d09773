import asyncio
import errno
import os
import socket

from virtual_time import virtual_time

from embedded_kubernetes.node.proxy.accepting import Acceptor


def listener() -> socket.socket:
    made = socket.create_server(("127.0.0.1", 0))
    made.setblocking(False)
    return made


@virtual_time
async def test_connections_that_cannot_be_served_do_not_keep_the_loop_busy() -> None:
    taken: list[int] = []

    def refuse(client: socket.socket, peer: object) -> None:
        taken.append(client.fileno())
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    loop = asyncio.get_running_loop()
    with listener() as server:
        acceptor = Acceptor(loop, server, refuse)
        acceptor.start()
        clients = [socket.create_connection(server.getsockname()) for _ in range(50)]
        await asyncio.sleep(0.55)
        assert len(taken) == 1 + 5  # one at once, then one each tenth of a second
        acceptor.stop()
        for client in clients:
            client.close()


async def test_all_that_wait_are_taken_and_none_after_the_stop() -> None:
    taken: list[socket.socket] = []
    loop = asyncio.get_running_loop()
    with listener() as server:
        acceptor = Acceptor(loop, server, lambda client, peer: taken.append(client))
        acceptor.start()
        clients = [socket.create_connection(server.getsockname()) for _ in range(80)]
        async with asyncio.timeout(10):
            while len(taken) < 80:
                await asyncio.sleep(0.01)
        acceptor.stop()
        clients.append(socket.create_connection(server.getsockname()))
        await asyncio.sleep(0.05)
        assert len(taken) == 80
        for one in (*clients, *taken):
            one.close()
