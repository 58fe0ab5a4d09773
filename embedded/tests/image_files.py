"""Small images as bytes, for tests: layers, manifests, archives."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import re
import shutil
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from embedded_kubernetes.node.images.content import oci


def digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def entry(name: str, content: bytes | None = None, **fields: Any) -> tuple[tarfile.TarInfo, bytes]:
    """Return one entry of a layer: a file with its content, otherwise what `fields` say."""
    info = tarfile.TarInfo(name)
    info.mode = 0o644
    for field, value in fields.items():
        setattr(info, field, value)
    data = content or b""
    info.size = len(data)
    return info, data


def tar(*entries: tuple[tarfile.TarInfo, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for info, data in entries:
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


@dataclass(frozen=True)
class Image:
    """An image as a registry has it."""

    config: bytes
    layers: tuple[bytes, ...]
    archives: tuple[bytes, ...]
    media_type: str = f"{oci.OCI_LAYER}+gzip"

    @property
    def manifest(self) -> bytes:
        plain = {
            "schemaVersion": 2,
            "mediaType": oci.OCI_MANIFEST,
            "config": {
                "mediaType": oci.OCI_CONFIG,
                "digest": digest(self.config),
                "size": len(self.config),
            },
            "layers": [
                {"mediaType": self.media_type, "digest": digest(layer), "size": len(layer)}
                for layer in self.layers
            ],
        }
        return json.dumps(plain).encode()

    @property
    def blobs(self) -> dict[str, bytes]:
        return {digest(data): data for data in (self.manifest, self.config, *self.layers)}


def image(*archives: bytes, architecture: str = "", **config: Any) -> Image:
    """Return an image of some layers (`tar`), gzip'ed as builders do."""
    plain = {
        "architecture": architecture or oci.machine()[0],
        "os": "linux",
        "config": config,
        "rootfs": {"type": "layers", "diff_ids": [digest(archive) for archive in archives]},
    }
    layers = tuple(gzip.compress(archive, 1, mtime=0) for archive in archives)
    return Image(json.dumps(plain).encode(), layers, archives)


def index(*manifests: tuple[bytes, dict[str, str]]) -> bytes:
    """Return an index of manifests with their platforms."""
    plain = {
        "schemaVersion": 2,
        "mediaType": oci.OCI_INDEX,
        "manifests": [
            {
                "mediaType": oci.OCI_MANIFEST,
                "digest": digest(manifest),
                "size": len(manifest),
                "platform": platform,
            }
            for manifest, platform in manifests
        ],
    }
    return json.dumps(plain).encode()


def write_tar(path: Path, files: dict[str, bytes]) -> Path:
    path.write_bytes(tar(*(entry(name, data) for name, data in files.items())))
    return path


def docker_files(made: Image, *tags: str) -> dict[str, bytes]:
    """Return the files that `docker save` writes."""
    names = [f"{digest(archive)[7:]}/layer.tar" for archive in made.archives]
    config = f"{digest(made.config)[7:]}.json"
    listed = [{"Config": config, "RepoTags": list(tags), "Layers": names}]
    return {
        config: made.config,
        **dict(zip(names, made.archives, strict=True)),
        "manifest.json": json.dumps(listed).encode(),
    }


def oci_files(made: Image, annotations: dict[str, str]) -> dict[str, bytes]:
    """Return the files of an OCI layout."""
    listed = {
        "schemaVersion": 2,
        "manifests": [
            {
                "mediaType": oci.OCI_MANIFEST,
                "digest": digest(made.manifest),
                "size": len(made.manifest),
                "annotations": annotations,
            }
        ],
    }
    return {
        "oci-layout": b'{"imageLayoutVersion":"1.0.0"}',
        "index.json": json.dumps(listed).encode(),
        **{f"blobs/sha256/{name[7:]}": data for name, data in made.blobs.items()},
    }


def programs(*names: str) -> tuple[tuple[tarfile.TarInfo, bytes], ...]:
    """Return entries of a layer with programs of this machine and the libraries that they need."""
    needed: set[str] = set()
    for name in names:
        place = shutil.which(name)
        assert place is not None, name
        said = subprocess.run(["ldd", place], capture_output=True, text=True, check=False).stdout
        needed |= set(re.findall(r"(/\S+) \(0x", said))
    files = {f"bin/{name}": Path(str(shutil.which(name))) for name in names}
    files |= {library.lstrip("/"): Path(library) for library in needed}
    return tuple(entry(name, path.read_bytes(), mode=0o755) for name, path in sorted(files.items()))
