"""Layers: unpacked as their archive says, and never outside their folder."""

import gzip
import os
import stat
import tarfile
from pathlib import Path

import pytest
import zstandard
from image_files import digest, entry, tar

from embedded_kubernetes.node.images.content import oci
from embedded_kubernetes.node.images.content.content_store import ContentStore, Ownership
from embedded_kubernetes.node.images.content.unpacking import Region, UnpackError, add_layer

LINK, HARD, FOLDER = tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE


@pytest.fixture
def store(tmp_path: Path) -> ContentStore:
    return ContentStore(tmp_path / "images", Ownership("single"))


async def unpacked(store: ContentStore, archive: bytes, blob: bytes | None = None) -> Path:
    """Return the folder of a layer."""
    blob = archive if blob is None else blob
    path = store.folder / "blob"
    path.write_bytes(blob)
    layer = oci.Layer(oci.Descriptor("layer", digest(blob), len(blob)), digest(archive))
    await add_layer(store, layer, Region(path, 0, len(blob)))
    return store.layer(layer.diff_id)


def listing(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): f"-> {path.readlink()}"
        if path.is_symlink()
        else path.read_text()
        for path in sorted(folder.rglob("*"))
        if path.is_symlink() or path.is_file()
    }


async def test_files_links_modes_and_times(store: ContentStore) -> None:
    archive = tar(
        entry("./", type=FOLDER, mode=0o755, mtime=5),
        entry("./closed", type=FOLDER, mode=0o555, mtime=1000),
        entry("./closed/run", b"#!", mode=0o4755, mtime=1234.5),
        entry("bin/same", type=HARD, linkname="closed/run"),
        entry("bin/soft", type=LINK, linkname="/closed/run"),
        entry("é/" + "long" * 60, b"1"),
        entry("pipe", type=tarfile.FIFOTYPE, mode=0o600),
        entry("again", b"first"),
        entry("again", b"second"),
    )
    folder = await unpacked(store, archive)
    assert listing(folder) == {
        "again": "second",
        "bin/same": "#!",
        "bin/soft": "-> /closed/run",
        "closed/run": "#!",
        "é/" + "long" * 60: "1",
    }
    status = (folder / "closed/run").stat()
    assert stat.S_IMODE(status.st_mode) == 0o4755
    assert (status.st_mtime, status.st_nlink) == (1234.5, 2)
    assert stat.S_IMODE((folder / "closed").stat().st_mode) == 0o555
    assert (folder / "closed").stat().st_mtime == 1000
    assert stat.S_IMODE((folder / "bin").stat().st_mode) == 0o755
    assert (folder / "pipe").is_fifo()
    assert folder.stat().st_mtime == 5


@pytest.mark.parametrize(
    "blob",
    [
        gzip.compress,
        lambda data: gzip.compress(data[:100]) + gzip.compress(data[100:]) + bytes(20),
        zstandard.compress,
        lambda data: zstandard.compress(data[:100]) + zstandard.compress(data[100:]),
    ],
    ids=["gzip", "gzip of two members", "zstd", "zstd of two frames"],
)
async def test_compressed_layers(store: ContentStore, blob) -> None:
    content = os.urandom(300_000).hex().encode()
    archive = tar(entry("a", content))
    folder = await unpacked(store, archive, blob(archive))
    assert (folder / "a").read_bytes() == content


async def test_sparse_files_and_attributes(store: ContentStore, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    with (source / "holes").open("wb") as file:
        file.seek(1 << 20)
        file.write(b"end")
    # GNU's own form of a sparse file (`tar --sparse --format=gnu`).
    info = tarfile.TarInfo("holes")
    info.type, info.size = tarfile.GNUTYPE_SPARSE, 512
    header = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    header[386:410] = b"%011o\0%011o\0" % (1 << 20, 3)
    header[483:495] = b"%011o\0" % ((1 << 20) + 3)
    header[124:136] = b"%011o\0" % 3
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    attributed = entry("x", b"1", pax_headers={"SCHILY.xattr.user.note": "yes"})
    steering = entry(
        "y", type=FOLDER, mode=0o755, pax_headers={"SCHILY.xattr.user.overlay.redirect": "/etc"}
    )
    archive = bytes(header) + b"end".ljust(512, b"\0") + tar(attributed, steering)
    folder = await unpacked(store, archive)
    assert (folder / "holes").read_bytes() == (source / "holes").read_bytes()
    assert (folder / "holes").stat().st_blocks < 100
    assert "user.overlay.redirect" not in os.listxattr(folder / "y")
    if os.listxattr(folder / "x"):  # not every file system keeps them
        assert os.getxattr(folder / "x", "user.note") == b"yes"


def gone(folder: Path, name: str) -> bool:
    """Whether a file of lower layers is hidden: by overlayfs' mark, or by the archive's own."""
    path = folder / name
    if (path.parent / f".wh.{path.name}").exists():
        return True
    status = path.lstat()
    return stat.S_ISCHR(status.st_mode) and status.st_rdev == 0


def opaque(folder: Path) -> bool:
    if (folder / ".wh..wh..opq").exists():
        return True
    return "user.overlay.opaque" in os.listxattr(folder)


async def test_what_a_layer_takes_away(store: ContentStore) -> None:
    archive = tar(
        entry("etc/.wh.passwd", b""),
        entry("var/.wh..wh..opq", b""),
        entry("var/new", b"1"),
        entry(".wh.replaced", b""),
        entry("replaced/kept", b"2"),
        entry("own/file", b"3"),
        entry(".wh.own", b""),
        entry(".wh..wh.plnk/4.5", b""),
        entry(".wh.then", b""),
        entry("then", b"4"),
    )
    folder = await unpacked(store, archive)
    assert gone(folder, "etc/passwd")
    assert opaque(folder / "var") and opaque(folder / "replaced") and opaque(folder / "own")
    assert (folder / "var/new").exists() and (folder / "own/file").exists()
    assert (folder / "then").read_text() == "4"


async def test_links_are_followed_as_seen_from_inside(store: ContentStore, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    archive = tar(
        entry("up", type=LINK, linkname="../../../../.."),
        entry(f"up{outside}/a", b"1"),
        entry("absolute", type=LINK, linkname=str(outside)),
        entry("absolute/b", b"2"),
        entry(f"/{outside}/c", b"3"),
        entry("lib", type=LINK, linkname="usr/lib"),
        entry("usr/lib/x", b"4"),
        entry("lib/y", b"5"),
        entry("loop", type=LINK, linkname="lib"),
        entry("z", type=HARD, linkname="loop/y"),
    )
    folder = await unpacked(store, archive)
    assert list(outside.iterdir()) == []
    inside = folder / str(outside).lstrip("/")
    assert listing(inside) == {"a": "1", "b": "2", "c": "3"}
    assert listing(folder / "usr") == {"lib/x": "4", "lib/y": "5"}
    assert (folder / "z").read_text() == "5"


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ([entry("../x", b"1")], 'archive/tar: insecure file path: "../x"'),
        ([entry("a/../../x", b"1")], 'archive/tar: insecure file path: "a/../../x"'),
        (
            [entry("x", type=HARD, linkname="../../etc/hostname")],
            'archive/tar: insecure file path: "../../etc/hostname"',
        ),
        ([entry("x", type=HARD, linkname="/etc/hostname")], "link //etc/hostname /x: no such file"),
        (
            [
                entry("etc", type=LINK, linkname="/other"),
                entry("x", type=HARD, linkname="etc/hostname"),
            ],
            "no such file or directory",
        ),
        ([entry("a", b"1"), entry("a/b", b"2")], "mkdir /a: not a directory"),
        (
            [entry("l", type=LINK, linkname="l"), entry("l/x", b"1")],
            "too many links",
        ),
        ([entry(".wh...", b"")], "invalid whiteout name"),
        ([entry("odd", b"", type=b"V")], "unhandled tar header type 86"),
    ],
)
async def test_what_leads_outside_is_refused_and_leaves_nothing(store, entries, words) -> None:
    with pytest.raises(UnpackError) as raised:
        await unpacked(store, tar(*entries))
    assert words in str(raised.value)
    assert list((store.folder / "layers-single").iterdir()) == []


ARCHIVE = tar(entry("a", os.urandom(100_000)))
GOOD = gzip.compress(ARCHIVE)


@pytest.mark.parametrize(
    ("blob", "expected", "words"),
    [
        (GOOD, b"other", "unexpected commit digest"),
        (GOOD[:-1000], GOOD, "unexpected commit size"),
        (GOOD[:500] + b"?" + GOOD[501:], GOOD, "unexpected commit digest"),
        (gzip.compress(tar(entry("b", b"1"))), None, "wrong diff id"),
        (GOOD[:-1000], None, "unexpected EOF"),
        (b"<html>no layer</html>" * 100, None, "invalid tar header"),
        (gzip.compress(b"<html>no layer</html>" * 100), None, "invalid tar header"),
        (GOOD[:500] + b"?" + GOOD[501:], None, "gzip: "),
        (zstandard.compress(ARCHIVE)[:-1000], None, "unexpected EOF"),
    ],
)
async def test_a_broken_layer_leaves_nothing(store, blob, expected, words) -> None:
    path = store.folder / "blob"
    path.write_bytes(blob)
    known = blob if expected is None else expected
    size = len(blob) if expected == b"other" else len(known)
    layer = oci.Layer(oci.Descriptor("layer", digest(known), size), digest(ARCHIVE))
    with pytest.raises(UnpackError) as raised:
        await add_layer(store, layer, Region(path, 0, len(blob)))
    assert words in str(raised.value)
    assert list((store.folder / "layers-single").iterdir()) == []


async def test_a_full_disk_leaves_nothing(store: ContentStore) -> None:
    # Where a limit on file sizes says EFBIG, a full disk says ENOSPC: the same write fails in the same way.
    store = ContentStore(store.folder, Ownership("single", ("prlimit", "--fsize=65536")))
    with pytest.raises(UnpackError) as raised:
        await unpacked(store, ARCHIVE)
    assert raised.value.number
    assert "file too large" in str(raised.value)
    assert list((store.folder / "layers-single").iterdir()) == []
    limit_gone = ContentStore(store.folder, Ownership("single"))
    assert (await unpacked(limit_gone, ARCHIVE)).is_dir()
