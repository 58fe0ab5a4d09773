"""A registry on loopback that serves one image of a few generated layers, for pulls that are to be timed."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import platform
import re
import shutil
import subprocess
import tarfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_CONFIG = "application/vnd.oci.image.config.v1+json"
_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
_SOURCE = Path("/usr/lib")
_LAYERS = 4
_LARGEST_BYTES = 3_000_000


class Content:
    """What images of about one size are made of: this machine's libraries, and `sleep` to run; compressed once.

    Parameters
    ----------
    size_bytes : int
        Of an image's compressed layers together.
    """

    def __init__(self, size_bytes: int) -> None:
        files = (path for path in sorted(_SOURCE.rglob("*")) if _is_usual(path))
        self._layers = []
        for number in range(_LAYERS):
            programs = _with_libraries("sleep") if number == 0 else []
            self._layers.append(_compressed(programs, files, size_bytes // _LAYERS))

    def image(self, seed: str) -> Image:
        """Return an image none of whose layers is one of another seed's: each ends in a file of its own."""
        tail = _entry(seed, b"", 0o644) + bytes(2 * tarfile.BLOCKSIZE)
        packed = gzip.compress(tail, mtime=0)
        image = Image()
        layers, diff_ids = [], []
        for data, digest, plain in self._layers:
            digest, plain = digest.copy(), plain.copy()
            digest.update(packed)
            plain.update(tail)
            layers.append(image.add(_LAYER, data + packed, digest.hexdigest()))
            diff_ids.append(f"sha256:{plain.hexdigest()}")
        config = {
            "architecture": _ARCHITECTURES[platform.machine()],
            "os": "linux",
            "config": {"Cmd": ["/bin/sleep", "100000"], "Env": ["PATH=/bin"]},
            "rootfs": {"type": "layers", "diff_ids": diff_ids},
        }
        described = image.add(_CONFIG, json.dumps(config).encode())
        manifest = {"schemaVersion": 2, "mediaType": _MANIFEST, "config": described}
        image.manifest = json.dumps({**manifest, "layers": layers}).encode()
        return image


class Image:
    """An image as a registry has it."""

    def __init__(self) -> None:
        self.blobs: dict[str, bytes] = {}
        self.manifest = b""

    @property
    def size_bytes(self) -> int:
        """Size of what is pulled."""
        return sum(len(blob) for blob in self.blobs.values())

    def add(self, media_type: str, data: bytes, hexdigest: str = "") -> dict[str, object]:
        """Add a blob and return its description."""
        digest = f"sha256:{hexdigest or hashlib.sha256(data).hexdigest()}"
        self.blobs[digest] = data
        return {"mediaType": media_type, "digest": digest, "size": len(data)}


def _is_usual(path: Path) -> bool:
    """Return whether a file is like most of an image's: none that alone makes a layer too large."""
    return path.is_file() and not path.is_symlink() and path.stat().st_size < _LARGEST_BYTES


def _entry(name: str, data: bytes, mode: int) -> bytes:
    """Return a file as a tar has it."""
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(data), mode
    return entry.tobuf() + data + bytes(-len(data) % tarfile.BLOCKSIZE)


def _compressed(
    programs: list[Path], files: Iterator[Path], size: int
) -> tuple[bytes, hashlib._Hash, hashlib._Hash]:
    """Return the beginning of a compressed layer, and the digests so far of it and of its tar."""
    blob, plain = io.BytesIO(), hashlib.sha256()
    with gzip.GzipFile("", "wb", 1, blob, mtime=0) as packed:

        def add(path: Path, name: str) -> None:
            entry = _entry(name, path.read_bytes(), 0o755)
            plain.update(entry)
            packed.write(entry)

        for path in programs:
            folder = "bin" if path.parent.name == "bin" else str(path.parent).lstrip("/")
            add(path, f"{folder}/{path.name}")
        while blob.tell() < size and (found := next(files, None)):
            add(found, f"data/{found.relative_to(_SOURCE)}")
    return blob.getvalue(), hashlib.sha256(blob.getvalue()), plain


def _with_libraries(program: str) -> list[Path]:
    """Return a program of this machine and the libraries that it is loaded with."""
    path = shutil.which(program)
    assert path is not None
    said = subprocess.run(["ldd", path], capture_output=True, text=True, check=True).stdout
    return [Path(path), *map(Path, re.findall(r"(/\S+) \(0x", said))]


@contextmanager
def serving(images: dict[str, Image]) -> Iterator[str]:
    """Serve images by their names, tag `1`, and give the registry's host and port."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version: ClassVar[str] = "HTTP/1.1"

        def do_HEAD(self) -> None:
            self._answer(body=False)

        def do_GET(self) -> None:
            self._answer(body=True)

        def _answer(self, *, body: bool) -> None:
            kind, data = self._find()
            self.send_response(200 if kind else 404)
            self.send_header("Content-Length", str(len(data)))
            if kind == _MANIFEST:
                digest = hashlib.sha256(data).hexdigest()
                self.send_header("Docker-Content-Digest", f"sha256:{digest}")
            self.send_header("Content-Type", kind or "text/plain")
            self.end_headers()
            if body:
                self.wfile.write(data)

        def _find(self) -> tuple[str, bytes]:
            if self.path.rstrip("/") == "/v2":
                return "application/json", b"{}"
            name, kind, reference = self.path.removeprefix("/v2/").rsplit("/", 2)
            image = images.get(name)
            if image is None:
                return "", b""
            if kind == "manifests":
                return _MANIFEST, image.manifest
            return "application/octet-stream", image.blobs.get(reference, b"")

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
