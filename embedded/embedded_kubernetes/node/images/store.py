"""Images of the embedded cluster: what it built itself, this machine's programs, and what all clusters share.

What it built is in a folder that all nodes read and that builds write, without a daemon: an image is a folder
named by its content, and `index.json` says which names point to it. Pulled and loaded images are in `content`.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ... import paths
from ..cri import ImageConfig
from . import bases
from .build_stage import lay_base
from .content.content_store import ContentStore
from .content.references import ReferenceFormatError, parse
from .names import normalise


class Store:
    """The images of one cluster: built by it, made of this machine's programs, or shared by all clusters.

    Parameters
    ----------
    path : Path
        Its folder; made where missing.

    Attributes
    ----------
    shared : ContentStore
        The images that were pulled or loaded.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._index = path / "index.json"
        self._read_at_ns = -1
        self._names: dict[str, str] = {}
        self.shared = ContentStore()

    def get(self, reference: str) -> ImageConfig | None:
        """Return the image of a name, or None where this cluster has none."""
        name = normalise(reference)
        folder = None if "@" in reference else self._folders().get(name)
        if folder is not None:
            return self.read(folder, reference)
        if bases.is_host(name):
            base = bases.find(name)
            return None if base is None else self._built_in(base, reference)
        with contextlib.suppress(ReferenceFormatError):
            return self.shared.image(parse(reference))
        return None

    def all(self) -> tuple[ImageConfig, ...]:
        """Return the images that were built, by name, and those that were pulled or loaded."""
        return (*self.built(), *self.shared.images())

    def built(self) -> tuple[ImageConfig, ...]:
        """Return the images that were built, by name; one that is being removed meanwhile is left out."""
        images: list[ImageConfig] = []
        for name, folder in sorted(self._folders().items()):
            with contextlib.suppress(FileNotFoundError):
                images.append(self.read(folder, name))
        return tuple(images)

    def advice(self, reference: str) -> str:
        """Say in French what can be done about an image that is not to be had."""
        name = normalise(reference)
        if bases.is_host(name):
            return ". ".join(bases.refusal(name))
        here = ", ".join((*sorted(self._folders()), *bases.names()))
        command = f"{paths.command()} image"
        return (
            f"Sans accès à son registre, chargez cette image d’une archive que « docker save » écrit ailleurs "
            f"(« {command} load ARCHIVE »), ou prenez-en une qui est là ({here}) ; « {command} list » donne les autres."
        )

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other builds away."""
        with (self.path / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def name(self, reference: str, folder: str) -> None:
        """Let a name point to an image's folder."""
        self._write({**self._folders(), normalise(reference): folder})

    def remove(self, reference: str) -> bool:
        """Take a name away; return whether there was such an image.

        Its files go with the last name, but for layers that containers may stand on: those go with the cluster.
        """
        with self.locked():
            names = dict(self._folders())
            folder = names.pop(normalise(reference), None)
            if folder is None:
                return False
            image = self.read(folder, reference)
            self._write(names)
        if image.host_programs and folder not in names.values():
            shutil.rmtree(self.path / folder, ignore_errors=True)
        return True

    def _write(self, names: Mapping[str, str]) -> None:
        scratch = self._index.with_suffix(f".{os.getpid()}")
        scratch.write_text(json.dumps(names, indent=1, sort_keys=True))
        scratch.replace(self._index)

    def _folders(self) -> Mapping[str, str]:
        try:
            changed_ns = self._index.stat().st_mtime_ns
        except FileNotFoundError:
            return {}
        if changed_ns != self._read_at_ns:
            self._names = json.loads(self._index.read_text())
            self._read_at_ns = changed_ns
        return self._names

    def read(self, folder: str, reference: str) -> ImageConfig:
        """Return the image of a folder, under a name."""
        plain: dict[str, Any] = json.loads((self.path / folder / "config.json").read_text())
        plain.setdefault("host_programs", True)  # an image of an earlier version
        for name in ("entrypoint", "cmd", "exposed_ports", "volumes", "repo_digests"):
            plain[name] = tuple(plain.get(name, ()))
        layers = plain.get("layers", ("rootfs",))
        layers = tuple(self.path / folder / layer for layer in layers)
        return ImageConfig(**plain | {"reference": reference, "layers": layers})

    def _built_in(self, base: bases.BaseImage, reference: str) -> ImageConfig:
        digest = hashlib.sha256(repr(base).encode()).hexdigest()
        folder = self.path / f"base-{digest[:16]}" / "rootfs"
        if not folder.is_dir():
            lay_base(base, folder)
        return ImageConfig(
            reference=reference,
            image_id=f"sha256:{digest}",
            layers=(folder,),
            host_programs=True,
            env=base.env,
            cmd=base.cmd,
            labels={bases.BASE_NAME_LABEL: base.reference},
            built_in=True,
        )
