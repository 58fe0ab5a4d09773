"""An image as an archive again, as `docker save` writes it: what `load` reads on another machine.

Layers are packed from their unpacked files, so that an archive can be made of any image that runs here, without its
registry. The layers' digests are then those of the new archives: the image has the same files and another id.
"""

from __future__ import annotations

import json
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path

from ....processes import run
from ...cri import ImageConfig
from ...runtime.spawner_link import boot_argv
from . import oci
from .content_store import Ownership

_PACK_S = 1200.0


def save(image: ImageConfig, names: Sequence[str], archive: Path, owners: Ownership) -> None:
    """Write an archive of one image.

    Parameters
    ----------
    image : ImageConfig
        Its layers must not be removed meanwhile.
    names : sequence of str
        What it shall be called.
    archive : Path
        The file to write.
    owners : Ownership
        Who owns the files of the layers.

    Raises
    ------
    CommandError
        A file cannot be read, or there is no place.
    """
    with tempfile.TemporaryDirectory(prefix="save-", dir=archive.parent) as folder:
        scratch = Path(folder)
        digests = [
            _packed(layer, scratch / f"{number}.tar", owners)
            for number, layer in enumerate(image.layers)
        ]
        architecture, variant = oci.machine()
        config = {
            "architecture": architecture,
            "os": "linux",
            "config": image.to_oci(),
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}" for digest in digests]},
        } | ({"variant": variant} if variant else {})
        listed = {
            "Config": "config.json",
            "RepoTags": list(names),
            "Layers": [f"{number}.tar" for number in range(len(digests))],
        }
        (scratch / "config.json").write_text(json.dumps(config))
        (scratch / "manifest.json").write_text(json.dumps([listed]))
        with tarfile.open(archive, "w") as tar:
            for path in sorted(scratch.iterdir()):
                tar.add(path, arcname=path.name)


def _packed(layer: Path, archive: Path, owners: Ownership) -> str:
    task = {"folder": str(layer), "archive": str(archive), "own": not owners.single}
    argv = boot_argv("pack", json.dumps(task), package="images.content")
    return run([*owners.entry, *argv], timeout_s=_PACK_S).stdout.strip()
