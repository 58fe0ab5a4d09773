"""Layers on their way into the store: each is unpacked once, by a process of its own, whoever asks for it."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import importlib.util
import json
import os
import subprocess
import time
from collections.abc import AsyncGenerator, Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from ....processes import spawn
from ...runtime import pipes
from . import oci
from .content_store import ContentStore, locked

_AT_ONCE = 2
_PIPE_BYTES = 1 << 20


class UnpackError(Exception):
    """A layer that cannot be unpacked; the words are containerd's.

    Attributes
    ----------
    number : int
        The system's error number (`errno`), 0 where the layer itself is wrong.
    """

    def __init__(self, words: str, number: int = 0) -> None:
        super().__init__(words)
        self.number = number


@dataclass(frozen=True)
class Region:
    """A blob that lies in a file: an archive's."""

    path: Path
    offset: int
    size_bytes: int


class Download(Protocol):
    """A blob that comes from elsewhere."""

    def pieces(self) -> AsyncGenerator[bytes, None]:
        """Yield it from its beginning; once."""


async def add_layers(
    store: ContentStore,
    layers: Iterable[tuple[oci.Layer, Region | Download]],
    on_layer: Callable[[oci.Layer], None],
) -> None:
    """Have the layers of an image in the store, two at a time; the first that fails ends the others (see `add_layer`).

    Parameters
    ----------
    on_layer : callable
        Called with each that is there.
    """
    places = asyncio.Semaphore(_AT_ONCE)

    async def add(layer: oci.Layer, source: Region | Download) -> None:
        async with places:
            await add_layer(store, layer, source)
        on_layer(layer)

    tasks = [asyncio.create_task(add(layer, source)) for layer, source in layers]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def add_layer(store: ContentStore, layer: oci.Layer, source: Region | Download) -> None:
    """Have a layer in the store; nothing is read where it is there already, or comes meanwhile from another.

    Parameters
    ----------
    store : ContentStore
        With `adding` held.
    layer : Layer
        What must come of it; its blob's digest may be "" where nobody knows it.
    source : Region or Download
        Where its blob is.

    Raises
    ------
    UnpackError
        It is broken, not the one that was asked for, or the disk refuses. Nothing is left of it.
    """
    if store.layer(layer.diff_id).is_dir():
        return
    async with locked(store.layer_lock(layer.diff_id)) as lock:
        if store.layer(layer.diff_id).is_dir():
            return
        draft = store.draft(layer.diff_id)
        await asyncio.to_thread(store.remove_folder, draft)
        draft.mkdir(mode=0o755)
        try:
            result = await _unpack(store, layer, source, lock)
            if "error" in result:
                raise _failure(layer, *result["error"])
            draft.rename(store.layer(layer.diff_id))
        except BaseException:
            await _clean(store, draft)
            raise


async def _clean(store: ContentStore, draft: Path) -> None:
    """Delete what was made, to the end: the lock is held as long, however often this task is cancelled."""
    removal = asyncio.create_task(asyncio.to_thread(store.remove_folder, draft))
    while not removal.done():
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.shield(removal)
    removal.result()


async def _unpack(
    store: ContentStore, layer: oci.Layer, source: Region | Download, lock: int
) -> dict[str, Any]:
    stored = isinstance(source, Region)
    task = {
        "path": str(source.path) if isinstance(source, Region) else "",
        "offset": source.offset if isinstance(source, Region) else 0,
        "length": source.size_bytes if isinstance(source, Region) else -1,
        "size": layer.blob.size_bytes,
        "digest": layer.blob.digest,
        "diff_id": layer.diff_id,
        "folder": str(store.draft(layer.diff_id)),
        "own": not store.owners.single,
        "zstandard": _zstandard(),
    }
    reading, writing = os.pipe()
    try:
        # It has the lock too: where this process is killed, nobody takes the folder before it has ended as well.
        argv = store.owners.argv(json.dumps(task))
        process = spawn(argv, stdin=reading, stdout=subprocess.PIPE, pass_fds=(lock,))
    except BaseException:
        os.close(writing)
        raise
    finally:
        os.close(reading)
    try:
        answer = asyncio.create_task(_answer(process))
        try:
            if stored:
                os.close(writing)
            else:
                assert not isinstance(source, Region)
                await _feed(writing, source, answer)
            return await answer
        finally:
            answer.cancel()
    finally:
        process.kill()
        process.wait()


async def _answer(process: subprocess.Popen[bytes]) -> dict[str, Any]:
    assert process.stdout is not None
    with process.stdout as stdout:
        text = await pipes.reader(os.dup(stdout.fileno())).read()
    try:
        result: dict[str, Any] = json.loads(text)
    except ValueError:
        return {"error": ("system", "the unpacking process was killed", 0)}
    return result


async def _feed(writing: int, source: Download, answer: asyncio.Task[dict[str, Any]]) -> None:
    """Write a blob into the process's input; one that has ended needs no more of it."""
    with contextlib.suppress(OSError):
        fcntl.fcntl(
            writing, fcntl.F_SETPIPE_SZ, _PIPE_BYTES
        )  # a user's pipes may have reached their limit
    writer = await pipes.writer(writing)
    writer.transport.set_write_buffer_limits(high=_PIPE_BYTES)
    try:
        async with contextlib.aclosing(source.pieces()) as pieces:
            async for piece in pieces:
                if answer.done():
                    return
                writer.write(piece)
                await writer.drain()
    except (BrokenPipeError, ConnectionResetError):
        return
    finally:
        writer.close()


def _zstandard() -> str:
    """Return the folder that a bare interpreter finds the `zstandard` package in."""
    spec = importlib.util.find_spec("zstandard")
    return "" if spec is None or spec.origin is None else str(Path(spec.origin).parents[1])


def _failure(layer: oci.Layer, kind: str, words: str, number: int) -> UnpackError:
    blob = layer.blob
    commit = f'failed commit on ref "layer-{blob.digest}": unexpected commit'
    match kind:
        case "size":
            text = f"{commit} size {words}, expected {blob.size_bytes}: failed precondition"
        case "digest":
            text = f"{commit} digest {words}, expected {blob.digest}: failed precondition"
        case "diff_id":
            text = f'wrong diff id "{words}" calculated on extraction "{layer.diff_id}", desc "{blob.digest}"'
        case _:
            if kind == "outside":
                words = f'archive/tar: insecure file path: "{words}"'
            name = f"extract-{time.time_ns()} {layer.diff_id}"
            text = (
                f"failed to extract layer ({blob.media_type} {blob.digest}) to overlayfs "
                f'as "{name}": {words[:1].lower()}{words[1:]}'
            )
    return UnpackError(text, number)
