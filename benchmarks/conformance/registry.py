"""A registry on loopback with the images of the suite, for specs that have one pulled (`imagePullPolicy: Always`).

It answers what a pull asks for and nothing else. (source: `opencontainers/distribution-spec`, "Pulling manifests",
"Pulling blobs")
"""

from __future__ import annotations

import json
import tarfile
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

_NAMES = ("io.containerd.image.name", "org.opencontainers.image.ref.name")
"""Annotations that may hold an image's whole name, the better one first."""
_BLOBS = "blobs/sha256/"


@dataclass(frozen=True)
class Blob:
    """A part of an archive: where its bytes lie, and what they are."""

    archive: Path
    offset: int
    size: int
    media_type: str = "application/octet-stream"

    def read(self) -> bytes:
        """Return its bytes."""
        with self.archive.open("rb") as file:
            file.seek(self.offset)
            return file.read(self.size)


class Content:
    """What the archives hold, by the paths that a registry has for it.

    Parameters
    ----------
    archives : iterable of Path
        OCI archives of one image each, not compressed.
    """

    def __init__(self, archives: Iterable[Path]) -> None:
        self.hosts: set[str] = set()
        """The registries that the images' names begin with."""
        self._manifests: dict[tuple[str, str], Blob] = {}
        self._blobs: dict[str, Blob] = {}
        for archive in archives:
            self._add(archive)

    def find(self, path: str) -> Blob | None:
        """Return what a path asks for (`/v2/NAME/manifests/TAG`, `/v2/NAME/blobs/DIGEST`), or None."""
        name, _, what = path.partition("?")[0].removeprefix("/v2/").rpartition("/")
        repository, _, kind = name.rpartition("/")
        if kind == "blobs":
            return self._blobs.get(what)
        return self._manifests.get((repository, what))

    def _add(self, archive: Path) -> None:
        with tarfile.open(archive) as tar:
            for member in tar:
                name = member.name.removeprefix("./")
                if name.startswith(_BLOBS):
                    digest = f"sha256:{name.removeprefix(_BLOBS)}"
                    self._blobs[digest] = Blob(archive, member.offset_data, member.size)
            index = json.load(_file(tar, "index.json"))
        for entry in index["manifests"]:
            self._name(entry)

    def _name(self, entry: dict[str, Any]) -> None:
        annotations = entry.get("annotations") or {}
        reference = next(annotations[key] for key in _NAMES if "/" in annotations.get(key, ""))
        host, _, rest = reference.partition("/")
        repository, _, tag = rest.rpartition(":")
        known = self._blobs[entry["digest"]]
        blob = Blob(known.archive, known.offset, known.size, entry["mediaType"])
        self.hosts.add(host)
        self._manifests[repository, tag] = self._manifests[repository, entry["digest"]] = blob


def _file(tar: tarfile.TarFile, name: str) -> Any:
    for path in (name, f"./{name}"):
        try:
            return tar.extractfile(path)
        except KeyError:
            continue
    raise KeyError(name)


@contextmanager
def served(archives: Iterable[Path]) -> Iterator[str]:
    """Serve archives for the time of a block: gives the mirrors of their registries (`registry.k8s.io=http://…`)."""
    content = Content(archives)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            blob = content.find(self.path)
            body = b"{}" if blob is None else blob.read()
            self.send_response(404 if blob is None and self.path != "/v2/" else 200)
            self.send_header(
                "Content-Type", "application/json" if blob is None else blob.media_type
            )
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        do_HEAD = do_GET  # noqa: N815

        def log_message(self, format: str, *arguments: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        address = f"http://127.0.0.1:{server.server_port}"
        yield ",".join(f"{host}={address}" for host in sorted(content.hosts))
    finally:
        server.shutdown()
        server.server_close()
