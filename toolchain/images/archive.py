"""An image's archive: the OCI image layout, with the file beside it that makes `docker load` read it as well."""

from __future__ import annotations

import hashlib
import io
import json
import platform
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from layer import Layer

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_CONFIG = "application/vnd.oci.image.config.v1+json"
_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"


def write(path: Path, reference: str, layers: Sequence[Layer], config: Mapping[str, Any]) -> None:
    """Write an archive; nothing half written has its name."""
    system = {"architecture": ARCHITECTURES[platform.machine()], "os": "linux"}
    diff_ids = [layer.diff_id for layer in layers]
    history = [{"created_by": "toolchain/images"} for _ in layers]
    rootfs = {"type": "layers", "diff_ids": diff_ids}
    config_blob = _json({**system, "config": config, "rootfs": rootfs, "history": history})
    manifest_blob = _json(
        {
            "schemaVersion": 2,
            "mediaType": _MANIFEST,
            "config": _descriptor(_CONFIG, config_blob),
            "layers": [
                {"mediaType": _LAYER, "digest": layer.digest, "size": layer.size}
                for layer in layers
            ],
        }
    )
    names = {
        "io.containerd.image.name": reference,
        "org.opencontainers.image.ref.name": reference.rpartition(":")[2],
    }
    manifest = {**_descriptor(_MANIFEST, manifest_blob), "platform": system, "annotations": names}
    docker = {
        "Config": _blob(_digest(config_blob)),
        "RepoTags": [reference.removeprefix("docker.io/")],
        "Layers": [_blob(layer.digest) for layer in layers],
    }
    unfinished = path.with_suffix(".new")
    with tarfile.open(unfinished, "w") as tar:
        _add(tar, "oci-layout", _json({"imageLayoutVersion": "1.0.0"}))
        _add(tar, "index.json", _json({"schemaVersion": 2, "manifests": [manifest]}))
        _add(tar, "manifest.json", _json([docker]))
        for blob in (manifest_blob, config_blob):
            _add(tar, _blob(_digest(blob)), blob)
        for layer in layers:
            entry = tarfile.TarInfo(_blob(layer.digest))
            entry.size = layer.size
            layer.blob.seek(0)
            tar.addfile(entry, layer.blob)
    unfinished.replace(path)


def _json(value: object) -> bytes:
    return json.dumps(value).encode()


def _digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def _blob(digest: str) -> str:
    return f"blobs/{digest.replace(':', '/')}"


def _descriptor(media_type: str, data: bytes) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": _digest(data), "size": len(data)}


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(data)
    tar.addfile(entry, io.BytesIO(data))
