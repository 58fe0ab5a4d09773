"""What the kubelet API needs of the node's pods, and the channels of exec and attach over one WebSocket.

Each message begins with the number of its channel. Version 5 adds one more number, 255,
followed by the number of a channel that the client closes: without it the end of standard input
could not be told. (source: `k8s.io/streaming/pkg/httpstream/wsstream`,
`k8s.io/cri-streaming/pkg/streaming/remotecommand`)
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol

from aiohttp import WSMsgType, web

from ..cri import Container, ExecProcess, Usage

STDIN, STDOUT, STDERR, ERROR, RESIZE = range(5)
CLOSE = 255
"""First byte of the close signal of `v5.channel.k8s.io`."""

PROTOCOLS = (
    "v5.channel.k8s.io",
    "v4.channel.k8s.io",
    "v4.base64.channel.k8s.io",
    "channel.k8s.io",
    "base64.channel.k8s.io",
)
"""Subprotocols of exec and attach, the preferred one first. Those without a number, and none at all, are the first one:
its error channel has words where the later ones have a `Status`, and nothing after a success."""

_CHUNK_BYTES = 32 * 1024


class PodLookup(Protocol):
    """What the node's services ask the agent about its pods; nothing here changes anything."""

    def all_pods(self) -> Sequence[dict[str, Any]]:
        """Return the pods of this node as the API shows them."""

    def pod(self, namespace: str, name: str) -> dict[str, Any] | None:
        """Return one pod of this node."""

    def containers(self, namespace: str, pod: str) -> Mapping[str, Container]:
        """Return the last started container of each name (init, sidecar and ephemeral ones too)."""

    def container(self, namespace: str, pod: str, name: str) -> Container | None:
        """Return the last started container of that name."""

    def log_path(self, namespace: str, pod: str, container: str, previous: bool) -> Path | None:
        """Return the log file of a container's last start (or of the one before it)."""

    def usage(self) -> Mapping[tuple[str, str, str], Usage]:
        """Return what every running container uses now: (namespace, pod, container) → usage."""


EventWriter = Callable[[dict[str, Any], Literal["Normal", "Warning"], str, str], None]
"""`event(object, type, reason, message)` writes an Event on an object (`events.Recorder.record`)."""


def success_status() -> bytes:
    """Return what the error channel says after exit code 0."""
    return json.dumps({"metadata": {}, "status": "Success"}).encode()


def exit_status(code: int) -> bytes:
    """Return what the error channel says of an exit code (`metav1.Status`)."""
    if code == 0:
        return success_status()
    return json.dumps(
        {
            "metadata": {},
            "status": "Failure",
            "message": f"command terminated with non-zero exit code: exit status {code}",
            "reason": "NonZeroExitCode",
            "details": {"causes": [{"reason": "ExitCode", "message": str(code)}]},
        }
    ).encode()


def failure_status(message: str) -> bytes:
    """Return what the error channel says where the command could not be run."""
    return json.dumps(
        {
            "metadata": {},
            "status": "Failure",
            "message": message,
            "reason": "InternalError",
            "details": {"causes": [{"message": message}]},
            "code": 500,
        }
    ).encode()


class Channels:
    """The channels of one WebSocket.

    Parameters
    ----------
    socket : aiohttp.web.WebSocketResponse
        Prepared, with one of `PROTOCOLS` negotiated.
    """

    def __init__(self, socket: web.WebSocketResponse) -> None:
        self._socket = socket
        protocol = socket.ws_protocol or ""
        self._in_words = not protocol.startswith("v")
        self._in_base64 = "base64" in protocol

    async def send(self, channel: int, data: bytes) -> None:
        """Send bytes on a channel; waits while the client is slow."""
        if self._in_base64:
            await self._socket.send_str(f"{channel}{base64.b64encode(data).decode()}")
        else:
            await self._socket.send_bytes(bytes([channel]) + data)

    async def send_status(self, status: bytes) -> None:
        """Say on the error channel how it ended (`metav1.Status`), in the protocol's form."""
        if not self._in_words:
            await self.send(ERROR, status)
            return
        said = json.loads(status)
        if said["status"] != "Success":
            await self.send(ERROR, str(said["message"]).encode())

    async def copy_out(self, channel: int, reader: asyncio.StreamReader) -> None:
        """Send what a stream gives until its end."""
        while data := await reader.read(_CHUNK_BYTES):
            await self.send(channel, data)

    async def copy_in(self, process: ExecProcess) -> None:
        """Give the client's input and terminal sizes to a command until the client leaves."""
        async for message in self._socket:
            if message.type not in (WSMsgType.BINARY, WSMsgType.TEXT) or not message.data:
                continue
            channel, data = _taken_apart(message.data)
            if channel == STDIN and process.stdin is not None:
                with contextlib.suppress(ConnectionError):
                    process.stdin.write(data)
                    await process.stdin.drain()
            elif channel == CLOSE and data == bytes([STDIN]) and process.stdin is not None:
                process.stdin.close()
            elif channel == RESIZE:
                _resize(process, data)

    async def close(self) -> None:
        """Say good-bye."""
        await self._socket.close()


def _taken_apart(message: bytes | str) -> tuple[int, bytes]:
    """Return channel and content of a client's message; a text is base64 after the channel's digit."""
    if isinstance(message, bytes):
        return message[0], message[1:]
    try:
        return int(message[0]), base64.b64decode(message[1:])
    except ValueError:
        return ERROR, b""  # nobody listens there


def _resize(process: ExecProcess, data: bytes) -> None:
    with contextlib.suppress(ValueError, KeyError, TypeError):
        size = json.loads(data)
        process.resize(int(size["Width"]), int(size["Height"]))


async def serve_process(
    channels: Channels, process: ExecProcess, *, stdout: bool, stderr: bool, attached: bool
) -> None:
    """Join a command and a client until the command ends or the client leaves.

    Parameters
    ----------
    channels : Channels
        The client's side.
    process : ExecProcess
        The command's side.
    stdout, stderr : bool
        Streams that the client asked for.
    attached : bool
        It is a container's main process (attach): it outlives the client, and its exit code is told
        by the pod's status alone. A command of exec is killed where its client leaves.
    """
    # An empty message tells the client that the connection stands.
    await channels.send(STDOUT if stdout else STDERR if stderr else ERROR, b"")
    outward = []
    if stdout:
        outward.append(asyncio.create_task(channels.copy_out(STDOUT, process.stdout)))
    if stderr and process.stderr is not None:
        outward.append(asyncio.create_task(channels.copy_out(STDERR, process.stderr)))
    inward = asyncio.create_task(channels.copy_in(process))
    ended = asyncio.create_task(_finish(process, outward))
    try:
        await asyncio.wait({inward, ended}, return_when=asyncio.FIRST_COMPLETED)
        if ended.done():
            code = ended.result()
            await channels.send_status(success_status() if attached else exit_status(code))
    except ConnectionError:
        pass
    finally:
        if not attached and not ended.done():
            process.kill()
        for task in (*outward, inward, ended):
            task.cancel()
        await asyncio.gather(*outward, inward, ended, return_exceptions=True)


async def _finish(process: ExecProcess, outward: Sequence[asyncio.Task[None]]) -> int:
    """Return the exit code once all that the command wrote has been sent."""
    code = await process.wait()
    await asyncio.gather(*outward)
    return code
