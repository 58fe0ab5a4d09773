"""Images that were pulled or loaded: one store for all clusters of a user.

`blobs/sha256/…` holds indexes, manifests and configurations as they came, `layers-<owners>/<diff id>/` each layer's
files, unpacked once, `names.json` which name means which manifest or index. Any number of processes may use it: a file
is replaced whole, a folder gets its name once it is complete, and who changes the table of names, or makes a layer,
holds a lock meanwhile, which ends with its holder.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import hashlib
import json
import os
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from .... import paths
from ....files import write_whole
from ....processes import run
from ...cri import ImageConfig
from ...runtime.spawner_link import boot_argv
from ...runtime.users import id_maps, ranges
from . import oci
from .references import Reference, parse

_REMOVAL_S = 600.0
_LOCK_PAUSE_S = 0.05


@dataclass(frozen=True)
class Ownership:
    """Who owns the files of unpacked layers.

    Attributes
    ----------
    name : str
        "root" (the owners that images say), "single" (the user alone), "range-…" (of a user's own range of ids).
    entry : tuple of str
        What to put before a command line, so that it runs where it may give files such owners.
    """

    name: str
    entry: tuple[str, ...] = ()

    @property
    def single(self) -> bool:
        """Whether all files are the user's own."""
        return self.name == id_maps.SINGLE

    def argv(self, task: str) -> list[str]:
        """Return the command line of `unpack`, which then may give files such owners."""
        return [*self.entry, *boot_argv("unpack", task, package="images.content")]


@dataclass(frozen=True)
class KeptImage:
    """One name of the store.

    Attributes
    ----------
    reference : Reference
        The name.
    digest : str
        The manifest or index that it means.
    pulled : bool
        Whether a registry gave it: then name and digest together are known everywhere.
    since_wall_s : float
        When it was pulled or loaded.
    """

    reference: Reference
    digest: str
    pulled: bool
    since_wall_s: float


class ContentStore:
    """The images that all clusters of a user share.

    Parameters
    ----------
    folder : Path, optional
        Where; by default in the user's cache. Made where missing.
    owners : Ownership, optional
        Who owns the files of layers; by default those whom containers can be (see `users.ranges`).
    """

    def __init__(self, folder: Path | None = None, owners: Ownership | None = None) -> None:
        self.folder = paths.private(folder or paths.cache_dir() / "images")
        self._owners = owners
        self._blobs = self.folder / "blobs" / "sha256"
        self._locks = self.folder / "locks"
        self._pins = self.folder / "pins"
        for path in (self._blobs, self._locks, self._pins):
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._names = self.folder / "names.json"
        self._put_off = self._locks / "sweep"
        self._read_at: tuple[int, int] | None = None
        self._known: dict[str, KeptImage] = {}
        self._document = lru_cache(maxsize=256)(self._load)

    @cached_property
    def owners(self) -> Ownership:
        """Who owns the files of layers; found out when it is first needed, by a trial."""
        return self._owners or Ownership(ranges.name(), ranges.entry())

    @cached_property
    def _layers(self) -> Path:
        return paths.private(self.folder / f"layers-{self.owners.name}")

    # Blobs

    def blob(self, digest: str) -> bytes | None:
        """Return a manifest, index or configuration, None where it is not here."""
        try:
            return (self._blobs / _hex(digest)).read_bytes()
        except FileNotFoundError:
            return None

    def keep_blob(self, data: bytes) -> str:
        """Keep a manifest, index or configuration and return its digest."""
        digest = hashlib.sha256(data).hexdigest()
        path = self._blobs / digest
        if not path.exists():
            write_whole(path, data, private=True)
        return f"sha256:{digest}"

    def _load(self, digest: str) -> dict[str, Any]:
        return oci.document((self._blobs / _hex(digest)).read_bytes(), digest)

    # Layers

    def layer(self, diff_id: str) -> Path:
        """Return where the files of a layer are, or will be."""
        return self._layers / _hex(diff_id)

    def draft(self, diff_id: str) -> Path:
        """Return where a layer is made, by who holds its lock."""
        return self._layers / f".{_hex(diff_id)}"

    def layer_lock(self, diff_id: str) -> Path:
        """Return the file whose lock is held by who makes a layer."""
        return self._locks / f"{self.owners.name}-{_hex(diff_id)}"

    def remove_folder(self, folder: Path) -> None:
        """Delete the files of a layer, whoever owns them."""
        if not folder.exists():
            return
        run(self.owners.argv(json.dumps({"remove": str(folder)})), timeout_s=_REMOVAL_S)

    @contextmanager
    def used(self, layers: Iterable[Path]) -> Iterator[None]:
        """Keep layers from being removed meanwhile.

        Raises
        ------
        FileNotFoundError
            One has just been removed.
        """
        with contextlib.ExitStack() as stack:
            for layer in layers:
                if layer.parent == self._layers:
                    stack.callback(os.close, hold(layer))
            yield

    def pin(self, holder: Path, layers: Iterable[Path]) -> None:
        """Keep layers as long as a folder is there: an image that was built on them, in a cluster's own store."""
        ours = [layer.name for layer in layers if layer.parent == self._layers]
        if ours:
            name = hashlib.sha256(os.fsencode(holder)).hexdigest()
            pin = json.dumps({"holder": str(holder), "layers": ours})
            write_whole(self._pins / name, pin, private=True)

    def _pinned(self) -> set[str]:
        """Return the layers that folders hold; forget the folders that are gone."""
        layers: set[str] = set()
        for file in self._pins.iterdir():
            pin = json.loads(file.read_text())
            if Path(pin["holder"]).is_dir():
                layers |= set(pin["layers"])
            else:
                file.unlink(missing_ok=True)
        return layers

    # Names

    def names(self) -> dict[str, KeptImage]:
        """Return every name in its full form, with what it means."""
        try:
            status = self._names.stat()
        except FileNotFoundError:
            return {}
        stamp = (status.st_mtime_ns, status.st_ino)
        if stamp != self._read_at:
            plain = json.loads(self._names.read_text())
            self._known = {
                name: KeptImage(parse(name), kept["digest"], kept["pulled"], kept["since_wall_s"])
                for name, kept in plain.items()
            }
            self._read_at = stamp
        return self._known

    def put(self, references: Iterable[Reference], digest: str, *, pulled: bool) -> None:
        """Let names mean a manifest or index whose parts are all here."""
        now = time.time()
        with self._changing() as names:
            for reference in references:
                names[reference.full] = KeptImage(reference, digest, pulled, now)

    def remove(self, reference: Reference) -> bool:
        """Take a name away, and what nothing needs any more; return whether it was there.

        The layers that a container uses stay until the next removal.
        """
        with self._changing() as names:
            kept = names.pop(reference.full, None)
            if kept is None:
                return False
            if not any(
                other.digest == kept.digest and other.reference.tag for other in names.values()
            ):
                for name in [name for name, other in names.items() if other.digest == kept.digest]:
                    del names[name]
        self.sweep()
        return True

    @contextmanager
    def _changing(self) -> Iterator[dict[str, KeptImage]]:
        with (self._locks / "names").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            names = dict(self.names())
            yield names
            plain = {
                name: {
                    "digest": kept.digest,
                    "pulled": kept.pulled,
                    "since_wall_s": kept.since_wall_s,
                }
                for name, kept in sorted(names.items())
            }
            write_whole(self._names, json.dumps(plain, indent=1), private=True)

    @asynccontextmanager
    async def adding(self) -> AsyncIterator[None]:
        """Keep what is added meanwhile, before a name needs it."""
        async with locked(self._locks / "adding", shared=True):
            yield
        if self._put_off.exists():
            await asyncio.to_thread(self.sweep)

    def sweep(self) -> None:
        """Delete what no name needs: blobs, layers that nobody uses, what was left half done.

        Put off where something is being added.
        """
        with (self._locks / "adding").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self._put_off.touch()
                return
            self._put_off.unlink(missing_ok=True)
            blobs, layers = self._needed()
            for path in self._blobs.iterdir():
                if path.name not in blobs:
                    path.unlink()
            for folder in list(self._layers.iterdir()):
                if folder.name not in layers:
                    self._sweep_layer(folder)

    def _sweep_layer(self, folder: Path) -> None:
        """Delete a layer, or what there is of one, unless somebody uses it."""
        try:
            descriptor = hold(folder, alone=True)
        except (BlockingIOError, FileNotFoundError):
            return
        try:
            gone = folder
            if not folder.name.startswith("."):
                gone = folder.rename(folder.with_name(f".{folder.name}"))
        finally:
            os.close(descriptor)
        self.remove_folder(gone)
        (self._locks / f"{self.owners.name}-{gone.name.lstrip('.')}").unlink(missing_ok=True)

    def _needed(self) -> tuple[set[str], set[str]]:
        """Return the hexadecimal digests of the blobs and of the layers that names need."""
        blobs: set[str] = set()
        layers = self._pinned()
        for kept in self.names().values():
            blobs.add(_hex(kept.digest))
            with contextlib.suppress(oci.ImageFormatError, OSError):
                digest, manifest = self._manifest(kept.digest)
                blobs |= {_hex(digest), _hex(manifest.config.digest)}
                config = self._document(manifest.config.digest)
                layers |= set(map(_hex, oci.diff_ids(config, len(manifest.layers))))
        return blobs, layers

    # Images

    def image(self, reference: Reference) -> ImageConfig | None:
        """Return the image of a name, None where it, or a part of it, is not here."""
        kept = self.names().get(reference.full)
        return None if kept is None else self._image(kept)

    def images(self) -> tuple[ImageConfig, ...]:
        """Return the images of all tags, by name; `reference` is the full one."""
        tagged = (kept for _, kept in sorted(self.names().items()) if kept.reference.tag)
        return tuple(image for kept in tagged if (image := self._image(kept)) is not None)

    def _image(self, kept: KeptImage) -> ImageConfig | None:
        try:
            _, manifest = self._manifest(kept.digest)
            config = self._document(manifest.config.digest)
            layers = [self.layer(diff_id) for diff_id in oci.diff_ids(config, len(manifest.layers))]
        except (oci.ImageFormatError, OSError):
            return None
        if not all(layer.is_dir() for layer in layers):
            return None
        return oci.image_config(
            config,
            reference=kept.reference.full,
            image_id=manifest.config.digest,
            layers=layers,
            size_bytes=manifest.size_bytes,
            repo_digests=self._repo_digests(kept.digest),
        )

    def _repo_digests(self, digest: str) -> tuple[str, ...]:
        return tuple(
            name
            for name, kept in sorted(self.names().items())
            if kept.pulled and kept.digest == digest and kept.reference.digest
        )

    def _manifest(self, digest: str) -> tuple[str, oci.Manifest]:
        """Return the manifest for this machine, and its digest."""
        plain = self._document(digest)
        if oci.kind_of(plain) in oci.INDEXES:
            digest = oci.chosen(plain, digest).digest
            plain = self._document(digest)
        return digest, oci.manifest(plain)


def hold(folder: Path, *, alone: bool = False) -> int:
    """Lock a layer's folder against removal, as an open descriptor that ends the lock when it is closed.

    Raises
    ------
    FileNotFoundError
        It has just been removed.
    BlockingIOError
        With `alone`: somebody holds it.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB if alone else fcntl.LOCK_SH)
        if not os.path.samestat(os.fstat(descriptor), folder.stat()):
            raise FileNotFoundError(folder)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


@asynccontextmanager
async def locked(path: Path, *, shared: bool = False) -> AsyncIterator[int]:
    """Hold the lock of a file, without standing in the loop's way while others do; gives its descriptor."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        while True:
            try:
                fcntl.flock(
                    descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB
                )
                break
            except BlockingIOError:
                # A thread that waits for the kernel cannot be told to give up.
                await asyncio.sleep(_LOCK_PAUSE_S)
        yield descriptor
    finally:
        os.close(descriptor)


def _hex(digest: str) -> str:
    """Return the digits of a digest, which name a file: nothing else may."""
    if not oci.is_digest(digest):
        raise oci.ImageFormatError(f"unsupported digest {digest!r}")
    return digest.partition(":")[2]
