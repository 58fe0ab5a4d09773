"""One layer of an image, from its blob to a folder: a process of its own that reads, verifies, inflates and extracts.

The blob is read once. A fork of the process reads and inflates while the other half extracts (see `Inflation`).
Nothing that an archive says leads out of the folder: names are walked from its descriptor, links are followed as seen
from inside, and what insists on `..` above the root is refused.

`main` takes one argument, JSON (see `Task`), and prints its result as JSON. Runs in a bare interpreter.
(sources: `layer.md` of the OCI image specification, `pkg/archive/tar.go` of containerd)
"""

# Loaded by a bare interpreter, which must start quickly; paths are bytes relative to a descriptor.

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import io
import json
import os
import stat
import sys
import tarfile
import zlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

if TYPE_CHECKING:
    from typing import TypedDict

    class Task(TypedDict):
        """What to unpack (plain data: it crosses a command line)."""

        path: str
        """The file that holds the blob; "" for standard input."""
        offset: int
        length: int
        """Where the blob lies in the file, and its bytes; -1 for all that comes."""
        size: int
        """How many bytes it must have; -1 where nobody knows."""
        digest: str
        """What the blob's SHA-256 must be, `sha256:…`; "" where nobody knows."""
        diff_id: str
        """What the SHA-256 of the archive in it must be, or ""."""
        folder: str
        """An empty folder."""
        own: bool
        """Whether files get the owners that the archive says; otherwise all are the caller's."""
        zstandard: str
        """Where the `zstandard` package lies, which a bare interpreter does not see."""


_CHUNK_BYTES = 128 * 1024
_ZSTD_CHUNK_BYTES = 16 * 1024
"""Less than of others: it can be thirty thousand times as much when it is inflated."""
_ZSTD_WINDOW_BYTES = 1 << 27
_PIPE_BYTES = 1 << 20
"""How much may wait for the extraction."""
_BLOCK = 512
_MOST_LINKS = 255
_OPEN_FOLDERS = 64
_WHITEOUT = b".wh."
_OPAQUE = b".wh..wh..opq"
_OPAQUE_ATTRIBUTE = "user.overlay.opaque"
_XATTR = "SCHILY.xattr."
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_MISSING_ATTRIBUTES = (errno.ENOTSUP, errno.EPERM, errno.EACCES, errno.EINVAL, errno.ENOSYS)


class LayerFormatError(Exception):
    """A layer that is none: `kind` says in which way ("format", "outside"), the words are Go's where it has some."""

    def __init__(self, words: str, kind: str = "format") -> None:
        super().__init__(words)
        self.kind = kind


# Reading


class Blob:
    """The bytes of a blob, hashed as they are read."""

    def __init__(self, descriptor: int, size: int) -> None:
        self._descriptor = descriptor
        self._left = size
        self._digest = hashlib.sha256()
        self.size = 0
        self.at_once = _ZSTD_CHUNK_BYTES

    def read(self) -> bytes:
        """Return the next bytes, b"" at the end."""
        most = self.at_once
        if self._left >= 0:
            most = min(most, self._left)
        data = os.read(self._descriptor, most) if most else b""
        self._digest.update(data)
        self.size += len(data)
        if self._left >= 0:
            self._left -= len(data)
        return data

    def drain(self) -> None:
        """Read what is left: the digest is that of the whole."""
        while self.read():
            pass

    def digest(self) -> str:
        """Return the digest of what was read."""
        return f"sha256:{self._digest.hexdigest()}"


def inflated(blob: Blob, zstandard: str) -> Iterator[bytes]:
    """Yield the archive in a blob, whatever compresses it.

    Raises
    ------
    LayerFormatError
        It is cut or broken.
    """
    head = b""
    while len(head) < 4 and (more := blob.read()):
        head += more
    if head.startswith(b"\x1f\x8b"):
        blob.at_once = _CHUNK_BYTES
        yield from _members(blob, head, _gzip_member, zlib.error, "gzip")
    elif head.startswith(b"\x28\xb5\x2f\xfd") or head[1:4] == b"\x2a\x4d\x18":
        yield from _unzstd(blob, head, zstandard)
    else:
        blob.at_once = _CHUNK_BYTES
        while head:
            yield head
            head = blob.read()


def _gzip_member() -> Any:
    return zlib.decompressobj(wbits=31)


def _members(
    blob: Blob, data: bytes, begin: Callable[[], Any], broken: type[Exception], name: str
) -> Iterator[bytes]:
    """Yield what compressed members hold that follow each other."""
    member: Any = begin()
    while data:
        try:
            yield member.decompress(data)
        except broken as error:
            raise LayerFormatError(f"{name}: {error}") from None
        if member.eof:
            data = member.unused_data.lstrip(b"\0") or blob.read().lstrip(b"\0")
            member = begin() if data else None
        else:
            data = blob.read()
    if member is not None:
        raise LayerFormatError("unexpected EOF")


def _unzstd(blob: Blob, head: bytes, place: str) -> Iterator[bytes]:
    if not place:
        raise LayerFormatError("zstd: no decoder on this machine")
    sys.path.append(place)
    import zstandard

    decoder = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW_BYTES)
    yield from _members(blob, head, decoder.decompressobj, zstandard.ZstdError, "zstd")


class Inflation:
    """The reading half: a forked process that reads, hashes and inflates a blob into a pipe, so that both halves go on.

    A thread would do, but for the interpreter's lock: each of the many system calls of the extraction gives it away and
    has to wait for it again, which takes long on a busy machine.

    Attributes
    ----------
    archive : int
        Where the archive comes out.
    """

    def __init__(self, blob: Blob, zstandard: str) -> None:
        self.archive, writing = os.pipe()
        self._report, reporting = os.pipe()
        for descriptor in (self.archive, self._report):
            with contextlib.suppress(OSError):  # a user's pipes may have reached their limit
                fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        self._pid = os.fork()
        if self._pid == 0:
            os.close(self.archive)
            os.close(1)  # who waits for the result waits for the parent alone
            self._inflate(blob, zstandard, writing, reporting)
        os.close(writing)
        os.close(reporting)

    @staticmethod
    def _inflate(blob: Blob, zstandard: str, writing: int, reporting: int) -> NoReturn:
        words = ""
        try:
            try:
                for piece in inflated(blob, zstandard):
                    _write_all(writing, piece)
            except LayerFormatError as error:
                words = str(error)
            os.close(writing)
            blob.drain()
            _write_all(reporting, json.dumps([blob.size, blob.digest(), words]).encode())
        finally:
            os._exit(0)  # the parent has the rest to do, and what it had begun

    def report(self) -> tuple[int, str, str]:
        """Return the blob's size and digest, and what is wrong with it, at its end."""
        with os.fdopen(self._report, "rb") as report:
            size, digest, words = json.loads(report.read() or '[-1, "", "unexpected EOF"]')
        os.waitpid(self._pid, 0)
        return size, digest, words


class Archive:
    """The archive as one forward-only file, hashed as it is read."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._piece = memoryview(b"")
        self._over = False
        self._digest = hashlib.sha256()
        self._position = 0

    def _more(self, size: int = 1) -> bool:
        """Have some bytes in one piece, fewer at the end; return whether there are any."""
        while len(self._piece) < size and not self._over:
            piece = os.read(self._descriptor, _PIPE_BYTES)
            self._over = not piece
            self._digest.update(piece)
            self._piece = memoryview(bytes(self._piece) + piece if self._piece else piece)
        return bool(self._piece)

    def pieces(self, size: int) -> Iterator[memoryview]:
        """Yield the next `size` bytes, as they lie in memory.

        Raises
        ------
        LayerFormatError
            The archive ends before.
        """
        while size:
            if not self._more():
                raise LayerFormatError("unexpected EOF")
            piece = self._piece[:size]
            self._piece = self._piece[len(piece) :]
            self._position += len(piece)
            size -= len(piece)
            yield piece

    def read(self, size: int) -> bytes:
        """Return the next `size` bytes (`tarfile` reads by this)."""
        if len(self._piece) >= size:
            data = bytes(self._piece[:size])
            self._piece = self._piece[size:]
            self._position += size
            return data
        return b"".join(self.pieces(size))

    def tell(self) -> int:
        """Return how much was read (`tarfile` asks)."""
        return self._position

    def skip_to(self, position: int) -> None:
        """Go on to a place that is not before this one."""
        for _ in self.pieces(position - self._position):
            pass

    def at_end(self) -> bool:
        """Return whether nothing but padding comes: a block of zeros, or nothing at all."""
        return not self._more(_BLOCK) or not bytes(self._piece[:_BLOCK]).strip(b"\0")

    def drain(self) -> None:
        """Read what is left: the digest is that of the whole."""
        while self._more():
            self._piece = self._piece[:0]

    def digest(self) -> str:
        """Return the digest of what was read."""
        return f"sha256:{self._digest.hexdigest()}"


def members(archive: Archive) -> Iterator[tarfile.TarInfo]:
    """Yield the archive's entries; the data of each is read, or not, before the next.

    Raises
    ------
    LayerFormatError
        A broken header.
    """
    headers = tarfile.TarFile(fileobj=io.BytesIO(bytes(2 * _BLOCK)), errors="surrogateescape")
    headers.encoding = "utf-8"
    headers.fileobj = archive  # type: ignore[assignment]
    while not archive.at_end():
        try:
            entry = tarfile.TarInfo.fromtarfile(headers)
        except (tarfile.TarError, ValueError, OverflowError):
            raise LayerFormatError("archive/tar: invalid tar header") from None
        following = headers.offset
        yield entry
        archive.skip_to(following)


# Writing


class Tree:
    """The folder that a layer is extracted into.

    Parameters
    ----------
    root : int
        Its descriptor.
    own : bool
        Whether files get the owners that the archive says.
    """

    def __init__(self, root: int, *, own: bool) -> None:
        self._root = root
        self._own = own
        self._open: dict[tuple[bytes, ...], int] = {}
        self._resolved: dict[tuple[bytes, ...], tuple[bytes, ...]] = {}
        self._folders: dict[tuple[bytes, ...], tarfile.TarInfo] = {}
        self.skipped = 0
        """Devices that only a machine's root may make."""

    def add(self, entry: tarfile.TarInfo, archive: Archive) -> None:
        """Extract one entry.

        Raises
        ------
        LayerFormatError
            It is of no known kind, or leads outside.
        OSError
            The disk refuses.
        """
        if len(self._open) > _OPEN_FOLDERS:
            self._close()
        *above, name = _parts(entry.name) or [b""]
        if not name:
            self._folders[()] = entry
            return
        folder = self._resolve(above, make=True)
        if name.startswith(_WHITEOUT):
            self._take_away(folder, name)
            return
        make = self._MAKERS.get(entry.type)
        if make is None:
            raise LayerFormatError(f"unhandled tar header type {entry.type[0]}")
        try:
            make(self, folder, name, entry, archive)
        except FileExistsError:
            hidden = self._clear(folder, name, entry)
            make(self, folder, name, entry, archive)
            if hidden and entry.isdir():
                self._make_opaque((*folder, name))

    def finish(self) -> None:
        """Give folders their modes and times: last, since a closed one takes no files."""
        for path in sorted(self._folders, key=len, reverse=True):
            if len(self._open) > _OPEN_FOLDERS:
                self._close()
            self._adorn(self._descriptor(path), self._folders[path])
        self._close()

    # Where

    def _resolve(self, parts: list[bytes], *, make: bool) -> tuple[bytes, ...]:
        """Return the real place of a folder, links followed as seen from inside; what is missing is made."""
        asked = tuple(parts)
        known = self._resolved.get(asked)
        if known is not None:
            return known
        pending, done, links = parts[::-1], (), 0  # type: list[bytes], tuple[bytes, ...], int
        while pending:
            part = pending.pop()
            if part == b"..":
                done = done[:-1]
                continue
            mode = self._folder_mode(done, part, make=make)
            if not stat.S_ISLNK(mode):
                done = (*done, part)
                continue
            links += 1
            if links > _MOST_LINKS:
                raise LayerFormatError(f"{os.fsdecode(b'/'.join(parts))}: too many links")
            aim = os.readlink(part, dir_fd=self._descriptor(done))
            done = () if aim.startswith(b"/") else done
            pending += [step for step in reversed(aim.split(b"/")) if step not in (b"", b".")]
        self._resolved[asked] = done
        return done

    def _folder_mode(self, above: tuple[bytes, ...], name: bytes, *, make: bool) -> int:
        """Return the mode of what is a folder or a link, made where it is missing."""
        at = self._descriptor(above)
        try:
            status = os.stat(name, dir_fd=at, follow_symlinks=False)
        except FileNotFoundError:
            if not make:
                raise
            os.mkdir(name, 0o755, dir_fd=at)
            return stat.S_IFDIR
        if _is_whiteout(status) and make:
            os.unlink(name, dir_fd=at)
            os.mkdir(name, 0o755, dir_fd=at)
            self._make_opaque((*above, name))
            return stat.S_IFDIR
        if not stat.S_ISDIR(status.st_mode) and not stat.S_ISLNK(status.st_mode):
            place = os.fsdecode(b"/".join((*above, name)))
            raise LayerFormatError(f"mkdir /{place}: not a directory")
        return status.st_mode

    def _descriptor(self, path: tuple[bytes, ...]) -> int:
        """Return an open folder; its path has no links."""
        if not path:
            return self._root
        known = self._open.get(path)
        if known is None:
            known = os.open(path[-1], _FOLDER, dir_fd=self._descriptor(path[:-1]))
            self._open[path] = known
        return known

    def _close(self) -> None:
        for descriptor in self._open.values():
            os.close(descriptor)
        self._open.clear()

    def _clear(self, folder: tuple[bytes, ...], name: bytes, entry: tarfile.TarInfo) -> bool:
        """Take away what an entry replaces; return whether that was a mark that hides lower layers."""
        at = self._descriptor(folder)
        status = os.stat(name, dir_fd=at, follow_symlinks=False)
        if stat.S_ISDIR(status.st_mode):
            self._close()
            self._folders = {
                path: kept
                for path, kept in self._folders.items()
                if path[: len(folder) + 1] != (*folder, name)
            }
            _remove_folder(name, self._descriptor(folder))
        else:
            os.unlink(name, dir_fd=at)
        self._resolved.clear()
        return _is_whiteout(status)

    # What

    def _make_folder(
        self, folder: tuple[bytes, ...], name: bytes, entry: tarfile.TarInfo, _: Archive
    ) -> None:
        at = self._descriptor(folder)
        try:
            os.mkdir(name, 0o700, dir_fd=at)
        except FileExistsError:
            status = os.stat(name, dir_fd=at, follow_symlinks=False)
            if not stat.S_ISDIR(status.st_mode):
                raise
        self._folders[(*folder, name)] = entry

    def _make_file(
        self, folder: tuple[bytes, ...], name: bytes, entry: tarfile.TarInfo, archive: Archive
    ) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(name, flags, 0o600, dir_fd=self._descriptor(folder))
        try:
            holes: list[tuple[int, int]] | None = getattr(entry, "sparse", None)
            if holes is None:
                _write(descriptor, archive.pieces(entry.size))
            else:
                for offset, size in holes:
                    os.lseek(descriptor, offset, os.SEEK_SET)
                    _write(descriptor, archive.pieces(size))
                os.ftruncate(descriptor, entry.size)
            self._adorn(descriptor, entry)
        finally:
            os.close(descriptor)

    def _make_link(
        self, folder: tuple[bytes, ...], name: bytes, entry: tarfile.TarInfo, _: Archive
    ) -> None:
        *above, target = _parts(entry.linkname) or [b""]
        try:
            source = self._resolve(above, make=False)
            os.link(
                target or b".",
                name,
                src_dir_fd=self._descriptor(source),
                dst_dir_fd=self._descriptor(folder),
                follow_symlinks=False,
            )
        except FileNotFoundError:
            raise LayerFormatError(
                f"link /{entry.linkname} /{entry.name}: no such file or directory"
            ) from None

    def _make_symlink(
        self, folder: tuple[bytes, ...], name: bytes, entry: tarfile.TarInfo, _: Archive
    ) -> None:
        at = self._descriptor(folder)
        os.symlink(entry.linkname.encode("utf-8", "surrogateescape"), name, dir_fd=at)
        if self._own:
            _chown(name, entry, at)
        _set_time(name, entry, at)

    def _make_node(
        self, folder: tuple[bytes, ...], name: bytes, entry: tarfile.TarInfo, _: Archive
    ) -> None:
        at = self._descriptor(folder)
        kind = {
            tarfile.FIFOTYPE: stat.S_IFIFO,
            tarfile.CHRTYPE: stat.S_IFCHR,
            tarfile.BLKTYPE: stat.S_IFBLK,
        }[entry.type]
        device = 0 if entry.isfifo() else os.makedev(entry.devmajor, entry.devminor)
        try:
            os.mknod(name, kind | 0o600, device, dir_fd=at)
        except PermissionError:
            self.skipped += 1
            return
        if self._own:
            _chown(name, entry, at)
        os.chmod(name, entry.mode & 0o7777, dir_fd=at)
        _set_time(name, entry, at)

    _MAKERS: ClassVar[dict[bytes, Callable[..., None]]] = {
        tarfile.REGTYPE: _make_file,
        tarfile.AREGTYPE: _make_file,
        tarfile.CONTTYPE: _make_file,
        tarfile.GNUTYPE_SPARSE: _make_file,
        tarfile.DIRTYPE: _make_folder,
        tarfile.LNKTYPE: _make_link,
        tarfile.SYMTYPE: _make_symlink,
        tarfile.FIFOTYPE: _make_node,
        tarfile.CHRTYPE: _make_node,
        tarfile.BLKTYPE: _make_node,
    }

    # What is not there any more

    def _take_away(self, folder: tuple[bytes, ...], name: bytes) -> None:
        """Mark a file or folder of lower layers as gone; those of this layer stay."""
        if name == _OPAQUE:
            self._make_opaque(folder)
            return
        hidden = name.removeprefix(_WHITEOUT)
        if name.startswith(_WHITEOUT * 2):
            return  # notes that AUFS kept in its layers
        if hidden in (b"", b".", b".."):
            raise LayerFormatError(f"invalid whiteout name: {os.fsdecode(name)}")
        at = self._descriptor(folder)
        try:
            os.mknod(hidden, stat.S_IFCHR, 0, dir_fd=at)
        except FileExistsError:
            status = os.stat(hidden, dir_fd=at, follow_symlinks=False)
            if stat.S_ISDIR(status.st_mode):
                self._make_opaque((*folder, hidden))
        except PermissionError:
            _touch(name, at)

    def _make_opaque(self, path: tuple[bytes, ...]) -> None:
        descriptor = self._descriptor(path)
        try:
            os.setxattr(descriptor, _OPAQUE_ATTRIBUTE, b"y")
        except OSError as error:
            if error.errno not in _MISSING_ATTRIBUTES:
                raise
            _touch(_OPAQUE, descriptor)

    # Owner, mode, times

    def _adorn(self, descriptor: int, entry: tarfile.TarInfo) -> None:
        if self._own:
            _chown(descriptor, entry)
        for name, value in entry.pax_headers.items():
            if name.startswith(_XATTR):
                _set_attribute(descriptor, name.removeprefix(_XATTR), value)
        os.chmod(descriptor, entry.mode & 0o7777)
        _set_time(descriptor, entry)


def _parts(name: str) -> list[bytes]:
    """Return the steps of a name from the root.

    Raises
    ------
    LayerFormatError
        It climbs above the root.
    """
    parts: list[bytes] = []
    for part in name.encode("utf-8", "surrogateescape").split(b"/"):
        if part == b"..":
            if not parts:
                raise LayerFormatError(name, "outside")
            parts.pop()
        elif part not in (b"", b"."):
            parts.append(part)
    return parts


def _is_whiteout(status: os.stat_result) -> bool:
    return stat.S_ISCHR(status.st_mode) and status.st_rdev == 0


def _touch(name: bytes, at: int) -> None:
    os.close(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW, 0o600, dir_fd=at))


def _write(descriptor: int, pieces: Iterator[memoryview]) -> None:
    for piece in pieces:
        _write_all(descriptor, piece)


def _write_all(descriptor: int, data: bytes | memoryview) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _chown(where: int | bytes, entry: tarfile.TarInfo, at: int | None = None) -> None:
    try:
        if at is None:
            os.chown(where, entry.uid, entry.gid)
        else:
            os.chown(where, entry.uid, entry.gid, dir_fd=at, follow_symlinks=False)
    except OSError as error:
        hint = (
            " (Hint: try increasing the number of subordinate IDs in /etc/subuid and /etc/subgid)"
            if error.errno == errno.EINVAL
            else ""
        )
        words = f"failed to Lchown for UID {entry.uid}, GID {entry.gid}: {error.strerror}{hint}"
        raise OSError(error.errno, words, entry.name) from None


def _set_attribute(descriptor: int, name: str, value: str) -> None:
    if "overlay." in name:
        return  # it would steer the mount that the layer becomes a part of
    try:
        os.setxattr(descriptor, name, value.encode("utf-8", "surrogateescape"))
    except OSError as error:
        if error.errno not in _MISSING_ATTRIBUTES:
            raise


def _set_time(where: int | bytes, entry: tarfile.TarInfo, at: int | None = None) -> None:
    time_ns = int(entry.mtime * 1_000_000_000)
    try:
        if at is None:
            os.utime(where, ns=(time_ns, time_ns))
        else:
            os.utime(where, ns=(time_ns, time_ns), dir_fd=at, follow_symlinks=False)
    except (OverflowError, OSError) as error:
        if isinstance(error, OSError) and error.errno not in (errno.EINVAL, errno.EOVERFLOW):
            raise


def _remove_folder(name: bytes, at: int) -> None:
    """Delete a folder that may hold closed ones."""
    os.chmod(name, 0o700, dir_fd=at)
    descriptor = os.open(name, _FOLDER, dir_fd=at)
    try:
        for child in os.listdir(descriptor):  # noqa: PTH208 — a descriptor has no path
            entry = os.fsencode(child)
            status = os.stat(entry, dir_fd=descriptor, follow_symlinks=False)
            if stat.S_ISDIR(status.st_mode):
                _remove_folder(entry, descriptor)
            else:
                os.unlink(entry, dir_fd=descriptor)
    finally:
        os.close(descriptor)
    os.rmdir(name, dir_fd=at)


# The whole


def unpack(task: Task) -> dict[str, Any]:
    """Unpack a blob and return what it was: `size`, `digest`, `diff_id`, `skipped`; or `error`.

    An error is a kind ("size", "digest", "diff_id", "format", "outside", "system") and its words.
    """
    descriptor = os.open(task["path"], os.O_RDONLY | os.O_CLOEXEC) if task["path"] else 0
    if task["offset"]:
        os.lseek(descriptor, task["offset"], os.SEEK_SET)
    inflation = Inflation(Blob(descriptor, task["length"]), task["zstandard"])
    archive = Archive(inflation.archive)
    failure: tuple[str, str] | None = None
    tree = Tree(os.open(task["folder"], _FOLDER), own=task["own"])
    try:
        for entry in members(archive):
            tree.add(entry, archive)
        tree.finish()
    except LayerFormatError as error:
        failure = error.kind, str(error)
    except OSError as error:
        place = "" if error.filename is None else f" {os.fsdecode(error.filename)}"
        return {"error": ("system", f"{error.strerror}{place}", error.errno)}
    archive.drain()  # whether the blob is the one that was asked for matters more than what is in it
    size, digest, broken = inflation.report()
    if broken:
        failure = "format", broken
    return _verdict(task, size, digest, archive.digest(), failure) or {
        "size": size,
        "digest": digest,
        "diff_id": archive.digest(),
        "skipped": tree.skipped,
    }


def _verdict(
    task: Task, size: int, digest: str, diff_id: str, failure: tuple[str, str] | None
) -> dict[str, Any] | None:
    """Return what is wrong, the first cause first: a cut blob, another blob, a broken archive, another archive."""
    if 0 <= task["size"] != size:
        return {"error": ("size", f"{size}", 0)}
    if task["digest"] and task["digest"] != digest:
        return {"error": ("digest", digest, 0)}
    if failure is not None:
        return {"error": (*failure, 0)}
    if task["diff_id"] and task["diff_id"] != diff_id:
        return {"error": ("diff_id", diff_id, 0)}
    return None


def remove(folder: str) -> None:
    """Delete a folder whose files may be other users'; nothing happens where it is gone."""
    above, _, name = folder.rstrip("/").rpartition("/")
    descriptor = os.open(above, _FOLDER)
    try:
        _remove_folder(os.fsencode(name), descriptor)
    except FileNotFoundError:
        pass
    finally:
        os.close(descriptor)


def main() -> None:
    """Do the task of the only argument, or remove the folder that it names, and print the result."""
    task = json.loads(sys.argv[1])
    if "remove" in task:
        remove(task["remove"])
        return
    os.umask(0)
    print(json.dumps(unpack(task)))
