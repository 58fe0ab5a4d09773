"""Images of the embedded cluster: a folder of files and how to run them, kept by name.

The store is a folder that all nodes read and that `build` writes, without a daemon: an image is a folder
named by its content, and `index.json` says which names point to it.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ...errors import ImageError
from ..cri import ImageConfig
from . import bases
from .build_stage import lay_base
from .builder import Build

_DOCKER_HUB = ("docker.io", "index.docker.io", "registry-1.docker.io", "localhost")


def normalise(reference: str) -> str:
    """Return the short form that equal references share: `docker.io/library/x` is `x:latest`.

    The rule of `distribution/reference`: what stands before the first `/` is a registry where it has a dot, a colon
    or is `localhost`; the Docker Hub and its `library/` are implied.
    """
    name = reference.partition("@")[0]
    first, slash, rest = name.partition("/")
    if slash and first in _DOCKER_HUB:
        name = rest
    name = name.removeprefix("library/")
    if ":" not in name.rpartition("/")[2]:
        name += ":latest"
    return name


def repository(reference: str) -> str:
    """Return a reference's normalised name without its tag."""
    return normalise(reference).rpartition(":")[0]


class Store:
    """The images of one cluster.

    Parameters
    ----------
    path : Path
        Its folder; made where missing.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._index = path / "index.json"
        self._read_at_ns = -1
        self._names: dict[str, str] = {}

    def get(self, reference: str) -> ImageConfig | None:
        """Return the image of a name, or None where this cluster has none."""
        folder = self._folders().get(normalise(reference))
        if folder is not None:
            return self._read(folder, reference)
        base = bases.runnable(repository(reference))
        return None if base is None else self._built_in(base, reference)

    def all(self) -> tuple[ImageConfig, ...]:
        """Return the images that were built, by name."""
        return tuple(self._read(folder, name) for name, folder in sorted(self._folders().items()))

    def describe(self) -> str:
        """Return one French sentence that lists what this cluster can run."""
        built = ", ".join(sorted(self._folders())) or "aucune"
        ready = ", ".join(bases.runnable_names())
        return (
            f"ce cluster ne télécharge pas d’images ; il exécute celles qu’il a construites ({built}) "
            f"et celles que les programmes de cette machine remplacent ({ready})"
        )

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other builds away."""
        with (self.path / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def name(self, reference: str, folder: str) -> None:
        """Let a name point to an image's folder."""
        names = {**self._folders(), normalise(reference): folder}
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

    def _read(self, folder: str, reference: str) -> ImageConfig:
        plain: dict[str, Any] = json.loads((self.path / folder / "config.json").read_text())
        for name in ("entrypoint", "cmd", "exposed_ports"):
            plain[name] = tuple(plain[name])
        plain |= {"reference": reference, "rootfs": self.path / folder / "rootfs"}
        return ImageConfig(**plain)

    def _built_in(self, base: bases.BaseImage, reference: str) -> ImageConfig:
        digest = hashlib.sha256(repr(base).encode()).hexdigest()
        rootfs = self.path / f"base-{digest[:16]}" / "rootfs"
        if not rootfs.is_dir():
            lay_base(base, rootfs)
        return ImageConfig(
            reference=reference,
            image_id=f"sha256:{digest}",
            rootfs=rootfs,
            env=base.env,
            cmd=base.cmd,
            built_in=True,
        )


def build(store: Path, context: Path, tag: str, build_args: Mapping[str, str]) -> ImageConfig:
    """Build the image `tag` from the Containerfile of a folder.

    Nothing is done where an image of the same instructions, arguments and files is there already.

    Parameters
    ----------
    store : Path
        The cluster's `images` folder.
    context : Path
        Folder with `Containerfile` (or `Dockerfile`) and the files that it copies.
    tag : str
        The image's name, `vitrine:v2`.
    build_args : mapping
        Values for `ARG`.

    Raises
    ------
    ImageError
        No Containerfile, an instruction that this cluster cannot run, a step that failed, a full disk.
    """
    try:
        images = Store(store)
        with images.locked():
            made = Build(context, tag, build_args, images.path, images.get)
            key = made.key()
            if not (images.path / key).is_dir():
                made.run(key)
            images.name(tag, key)
        image = images.get(tag)
    except OSError as error:
        raise ImageError(
            f"Construire l’image « {tag} » dans {store}",
            f"{error.strerror} ({error.filename})",
            "Vérifiez que le disque n’est pas plein (df -h) et que ces fichiers sont à vous.",
        ) from error
    assert image is not None
    return image
