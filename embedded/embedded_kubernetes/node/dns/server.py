"""The cluster's DNS server: answers of its own, and those of the machine's servers for all other names.

A question of the cluster is answered in the turn of the event loop in which it comes; nothing waits for another one.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import socket
import struct
from typing import Any

from ..network.sockets import Address, Sockets
from ..tasks import Tasks
from .answers import answer, balanced, can_only_be_ours
from .forwarder import CrowdedError, Forwarder, ForwardError
from .traffic import Traffic
from .wire import (
    MessageError,
    Query,
    Response,
    ResponseCode,
    is_other_operation,
    longest,
    read_answers,
    read_query,
    write_error,
    write_response,
)
from .zone import NamespaceNames, Zone

_DATAGRAMS_A_TURN = 32
_DATAGRAM_BYTES = 65_535
_IDLE_S = 8.0
"""How long a connection may stay silent (miekg/dns, `tcpIdleTimeout`)."""
_LENGTH = struct.Struct(">H")


class DnsServer:
    """Answers over UDP and TCP.

    Parameters
    ----------
    zone : Zone
        What the cluster has; its table is started by its owner.
    namespaces : NamespaceNames
        Those of the zone; started and closed here.
    sockets : Sockets
        Of the network in which it listens.
    forwarder : Forwarder
        For names that are not the cluster's.
    port : int
        Where it listens on the zone's address.

    Attributes
    ----------
    traffic : Traffic
        What it has been asked and has answered.
    """

    def __init__(
        self,
        zone: Zone,
        namespaces: NamespaceNames,
        sockets: Sockets,
        forwarder: Forwarder,
        port: int,
    ) -> None:
        self.traffic = Traffic()
        self._zone = zone
        self._namespaces = namespaces
        self._sockets = sockets
        self._forwarder = forwarder
        self._address = (zone.address, port)
        self._complete = False
        self._tasks = Tasks()
        self._datagrams: socket.socket | None = None
        self._streams: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen; what the cluster has is read meanwhile.

        Raises
        ------
        OSError
            The address is taken, or there is none.
        """
        await self._namespaces.start()
        self._tasks.start(self._read())
        loop = asyncio.get_running_loop()
        self._datagrams = self._sockets.datagram(bind=self._address)
        loop.add_reader(self._datagrams, self._take, self._datagrams)
        listener = self._sockets.listener(self._address)
        try:
            self._streams = await asyncio.start_server(self._serve, sock=listener)
        except BaseException:
            listener.close()
            raise

    async def close(self) -> None:
        """Answer no more."""
        if self._streams is not None:
            self._streams.close()
        if self._datagrams is not None:
            asyncio.get_running_loop().remove_reader(self._datagrams)
        await self._tasks.close()
        if self._datagrams is not None:
            self._datagrams.close()
        await self._namespaces.close()

    async def _read(self) -> None:
        await self._zone.synced()
        await self._namespaces.synced()
        self._complete = True

    def _take(self, sock: socket.socket) -> None:
        for _ in range(_DATAGRAMS_A_TURN):
            try:
                packet, client = sock.recvfrom(_DATAGRAM_BYTES)
            except OSError:
                return
            try:
                query = read_query(packet)
            except MessageError:
                _send(sock, write_error(packet, ResponseCode.FORMAT_ERROR), client)
                continue
            if query is None:
                continue
            self.traffic.asked(query, "udp")
            response = self._own(query)
            if response is None or response.elsewhere:
                self._tasks.start(self._forward(sock, client, query, response))
            else:
                _send(sock, self._packet(query, response, stream=False), client)

    async def _forward(
        self, sock: socket.socket, client: Address, query: Query, response: Response | None
    ) -> None:
        _send(sock, await self._from_elsewhere(query, response, stream=False), client)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer what comes by one connection, one question after the other."""
        try:
            with contextlib.suppress(OSError, TimeoutError, asyncio.IncompleteReadError):
                while True:
                    async with asyncio.timeout(_IDLE_S):
                        (size,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
                        packet = await reader.readexactly(size)
                    said = await self._by_stream(packet)
                    if said is None:
                        return
                    writer.write(_LENGTH.pack(len(said)) + said)
                    await writer.drain()
        finally:
            writer.close()

    async def _by_stream(self, packet: bytes) -> bytes | None:
        try:
            query = read_query(packet)
        except MessageError:
            return write_error(packet, ResponseCode.FORMAT_ERROR)
        if query is None:
            return None
        self.traffic.asked(query, "tcp")
        response = self._own(query)
        if response is None or response.elsewhere:
            return await self._from_elsewhere(query, response, stream=True)
        return self._packet(query, response, stream=True)

    def _own(self, query: Query) -> Response | None:
        """Return the server's own answer; None where others have to be asked."""
        refused = _refusal(query)
        if refused is not None:
            return Response(refused, authoritative=False)
        response = answer(self._zone, query)
        if response is None or self._complete or response.code != ResponseCode.NAME_ERROR:
            return response
        # Not all is read: what is not known may be there.
        return dataclasses.replace(response, code=ResponseCode.SERVER_FAILURE)

    async def _from_elsewhere(
        self, query: Query, response: Response | None, *, stream: bool
    ) -> bytes:
        """Return the packet of another server, or with its answers: those that a name of the cluster stands for."""
        asked = query
        if response is not None:
            asked = dataclasses.replace(query, name=response.elsewhere)
        code = ResponseCode.SERVER_FAILURE
        try:
            packet = await self._forwarder.ask(asked, stream=stream)
            if response is None:
                self.traffic.passed_on(packet)
                return packet
            more, truncated = read_answers(packet)
            answers = (*response.answers, *more)
            response = dataclasses.replace(response, answers=answers, truncated=truncated)
        except CrowdedError:
            code = ResponseCode.REFUSED
        except (ForwardError, MessageError):
            # Of an alias it is said all the same what it stands for.
            if can_only_be_ours(self._zone, query.name):
                code = ResponseCode.NAME_ERROR
        return self._packet(query, response or Response(code, authoritative=False), stream=stream)

    def _packet(self, query: Query, response: Response, *, stream: bool) -> bytes:
        self.traffic.answered(response.code)
        mixed = dataclasses.replace(
            response,
            answers=balanced(response.answers),
            additional=balanced(response.additional),
        )
        return write_response(query, mixed, longest(query, stream=stream))


def _refusal(query: Query) -> ResponseCode | None:
    """Return why a question is not looked at, or None."""
    if is_other_operation(query):
        return ResponseCode.NOT_IMPLEMENTED
    return ResponseCode.BAD_VERSION if query.edns_version else None


def _send(sock: socket.socket, packet: bytes, client: Any) -> None:
    with contextlib.suppress(OSError):  # its buffer is full, or it is gone: UDP promises nothing
        sock.sendto(packet, client)
