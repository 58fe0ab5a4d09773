"""The data made: an API server writes them into an etcd of its own."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import json
import os
import re
import shutil
import signal
import socket
import tempfile
import time
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ... import files, paths, pki
from ...config import ClusterConfig
from ...processes import spawn
from .. import control_plane, etcd_gateway
from ..readiness import ApiProbe
from .kept import DATABASE, DRAFT, FACTS, LOG, RECIPE, WAL_FILE

if TYPE_CHECKING:
    import subprocess

    from ...programs.binaries import Binaries

_MAKING_S = 60.0
_PAGE_BYTES = 4096

_OF_ONE_CLUSTER = (
    "configmaps/kube-system/extension-apiserver-authentication",
    "configmaps/kube-system/kube-apiserver-legacy-service-account-token-tracking",
    "events/",
    "ipaddresses/",
    "leases/",
    "masterleases/",
    "ranges/",
    "servicecidrs/",
    "services/",
)
"""Below /registry/: what an API server writes for its own addresses, certificates and life."""

_UID = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_SECONDS = re.compile(rb"\x08([\x80-\xff]{4}[\x01-\x7f])\x10\x00")
"""A `metav1.Time` in protobuf: field 1 is the seconds, a varint of five bytes until 3058; field 2 is 0."""
_TEXT_TIME = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def make(programs: Binaries, folder: Path) -> None:
    """Let an API server write into an etcd of its own, and keep what it wrote."""
    with tempfile.TemporaryDirectory(prefix=DRAFT, dir=folder.parent) as scratch:
        config = _config(Path(scratch), programs)
        began_s = int(time.time())
        try:
            # In a thread of its own: a notebook's kernel has a loop that runs already.
            with ThreadPoolExecutor(1) as thread:
                thread.submit(asyncio.run, _written(config)).result()
        finally:
            shutil.rmtree(config.runtime, ignore_errors=True)
        made, member = Path(scratch) / "made", Path(scratch) / "etcd" / "member"
        made.mkdir()
        database = (member / "snap" / "db").read_bytes()
        log = without_room((member / "wal" / WAL_FILE).read_bytes())
        kept = {DATABASE: database, LOG: log}
        for name, content in kept.items():
            (made / name).write_bytes(content)
        facts = {
            "kubernetes": programs.kubernetes_version,
            "recipe": RECIPE,
            "sha256": {name: hashlib.sha256(content).hexdigest() for name, content in kept.items()},
            **places_in(database, began_s, int(time.time())),
        }
        (made / FACTS).write_text(json.dumps(facts))
        shutil.rmtree(folder, ignore_errors=True)
        made.rename(folder)


def _config(scratch: Path, programs: Binaries) -> ClusterConfig:
    """Return a cluster without nodes, its keys made."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    digest = hashlib.sha256(bytes(scratch.parent)).hexdigest()
    config = ClusterConfig(
        name="first",
        directory=str(scratch),
        runtime_directory=str(paths.runtime_dir(f"first-{digest[:8]}")),
        slot=0,
        kubernetes_version=programs.kubernetes_version,
        binaries=str(programs.folder),
        api_port=port,
        metrics_port=0,
        ingress_port=0,
        proxy_port=0,
        kubelet_ports=(),
    )
    (scratch / "logs").mkdir()
    pki.ensure(config)
    egress = control_plane.egress_selector(config)
    files.write_whole(scratch / control_plane.EGRESS_FILE, egress)
    return config


async def _written(config: ClusterConfig) -> None:
    """Run the two servers until all is written; leave etcd's files without what belongs to this one cluster."""
    with contextlib.ExitStack() as stack:
        etcd = _running(stack, control_plane.etcd(config), config)
        with contextlib.ExitStack() as api:
            server = _running(api, control_plane.api_server(config), config)
            await _until_one(ApiProbe(config).bootstrapped(), _end(etcd), _end(server))
            if etcd.poll() is not None or server.poll() is not None:
                raise OSError("etcd ou kube-apiserver ne démarre pas")
        etcd_socket = config.runtime / "etcd.sock"
        for part in _OF_ONE_CLUSTER:
            _forget(etcd_socket, f"/registry/{part}")
        answer = etcd_gateway.ask(etcd_socket, etcd_gateway.RANGE_PATH, {"key": _base64("/")})
        compaction = {"revision": answer["header"]["revision"], "physical": True}
        etcd_gateway.ask(etcd_socket, "/v3/kv/compaction", compaction)
        etcd_gateway.ask(etcd_socket, "/v3/maintenance/defragment", {})
        etcd.send_signal(signal.SIGTERM)
        await _until_one(_end(etcd))


async def _until_one(*works: Coroutine[Any, Any, None]) -> None:
    """Wait for the first work that is over, and raise its error."""
    tasks = [asyncio.create_task(work) for work in works]
    done, others = await asyncio.wait(tasks, timeout=_MAKING_S, return_when=asyncio.FIRST_COMPLETED)
    for task in others:
        task.cancel()
    if not done:
        raise TimeoutError(f"pas prêt après {_MAKING_S:.0f} s")
    for task in done:
        task.result()


async def _end(process: subprocess.Popen[bytes]) -> None:
    """Return when a server has ended."""
    loop, over = asyncio.get_running_loop(), asyncio.Event()
    descriptor = os.pidfd_open(process.pid)
    loop.add_reader(descriptor, over.set)
    try:
        await over.wait()
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)


def _running(
    stack: contextlib.ExitStack, spec: control_plane.ComponentSpec, config: ClusterConfig
) -> subprocess.Popen[bytes]:
    process = spawn(spec.argv, log=spec.log(config), env=spec.env)
    stack.callback(process.wait)
    stack.callback(process.kill)
    return process


def _forget(etcd_socket: Path, prefix: str) -> None:
    end = prefix[:-1] + chr(ord(prefix[-1]) + 1)
    body = {"key": _base64(prefix), "range_end": _base64(end)}
    etcd_gateway.ask(etcd_socket, "/v3/kv/deleterange", body)


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def without_room(log: bytes) -> bytes:
    """Return a write-ahead log without the zeros at its end, which are the room that etcd has reserved."""
    used = len(log.rstrip(b"\0"))
    return log[: (used // _PAGE_BYTES + 2) * _PAGE_BYTES]


def places_in(database: bytes, began_s: int, ended_s: int) -> dict[str, Any]:
    """Return where identifiers, and times between two instants, are in a database.

    Returns
    -------
    dict
        `uids` (of each, all places), `seconds` and `texts`, as `FirstData` has them.
    """
    uids: dict[str, list[int]] = {}
    for found in _UID.finditer(database):
        uids.setdefault(found.group().decode(), []).append(found.start())
    seconds = [
        found.start(1)
        for found in _SECONDS.finditer(database)
        if began_s - 1 <= _number(found.group(1)) <= ended_s
    ]
    texts = [
        found.start()
        for found in _TEXT_TIME.finditer(database)
        if began_s - 1 <= _instant(found.group()) <= ended_s
    ]
    return {"uids": uids, "seconds": seconds, "texts": texts}


def _instant(text: bytes) -> float:
    try:
        return datetime.fromisoformat(text.decode()).timestamp()
    except ValueError:
        return 0.0


def _number(varint: bytes) -> int:
    return sum((byte & 0x7F) << 7 * index for index, byte in enumerate(varint))
