"""`k8s-lab bundle`: one archive with all that a room without internet needs beside the Python packages."""

from __future__ import annotations

import gzip
import io
import json
import platform
import shutil
import tarfile
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import click

from .. import _french, _paths
from .._errors import BinariesError, UsageError
from .._progress import Progress, reporting
from ..builds import host_builds, jars
from .french import FrenchCommand, FrenchGroup

MANIFEST = "bundle.json"
SCHEMA = 1
EMBEDDED = "embedded"
"""Folder of the archive with the images of embedded clusters; kind's are in `images`."""
_IMAGE_S = 1200.0


bundle = FrenchGroup("bundle", help="Une archive pour une salle sans internet.")


@dataclass(frozen=True)
class Contents:
    """What an archive says that it holds.

    Attributes
    ----------
    kubernetes_version : str
        Of the programs.
    machine : str
        Processor that they run on (`platform.machine()`).
    files : dict
        SHA-256 of each file, by its path in the archive.
    """

    kubernetes_version: str
    machine: str
    files: dict[str, str]

    def to_json(self) -> str:
        """Return the manifest."""
        return json.dumps({"schema": SCHEMA, **self.__dict__}, indent=2)


@bundle.command(cls=FrenchCommand, help="Écrit l’archive, sur une machine qui a internet.")
@click.argument("archive", metavar="ARCHIVE.tar.gz", type=click.Path(path_type=Path))
def save(archive: Path) -> None:
    """Pack the embedded cluster's programs and, where an engine has them, kind's images."""
    with reporting(None) as progress, _scratch() as scratch:
        names = pack(archive, scratch, progress)
    click.echo(f"{archive} ({archive.stat().st_size / 1e6:.0f} Mo) contient :")
    for name in names:
        click.echo(f"  {name}")


@bundle.command(cls=FrenchCommand, help="Installe l’archive sur cette machine, sans internet.")
@click.argument("archive", metavar="ARCHIVE.tar.gz", type=click.Path(path_type=Path))
def load(archive: Path) -> None:
    """Check the archive whole, then install what it holds."""
    with reporting(None) as progress, _scratch() as scratch:
        contents = unpack(archive, scratch, progress)
        installed = install(scratch, contents, progress)
    click.echo("Installé :")
    for name in installed:
        click.echo(f"  {name}")


@contextmanager
def _scratch() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="bundle-", dir=_paths.cache_dir()) as folder:
        yield Path(folder)


def pack(archive: Path, scratch: Path, progress: Progress) -> list[str]:
    """Write the archive and return the names of the files in it.

    Parameters
    ----------
    archive : Path
        The file to write; an older one is replaced only once the new one is whole.
    scratch : Path
        Folder for what the engine writes; the caller removes it.
    progress : Progress
        Told of each file.

    Raises
    ------
    BinariesError
        Kubernetes' programs are not there and cannot be had.
    CommandError
        The engine cannot write an image that it has.
    """
    from embedded_kubernetes.programs import binaries

    programs = binaries.ensure(progress)
    sources = {f"binaries/{name}": programs.folder / name for name in binaries.PROGRAMS}
    sources.update(built_jars())
    sources.update(_save_images(scratch, progress))
    sources.update(save_own_images(scratch, progress))
    files = {}
    for name, source in sources.items():
        progress.step(f"Empreinte de {name}")
        files[name] = jars.sha256(source)
    contents = Contents(programs.kubernetes_version, platform.machine(), files)
    unfinished = archive.with_name(archive.name + ".part")
    try:
        with tarfile.open(unfinished, "w:gz", compresslevel=1) as tar:
            manifest = contents.to_json().encode()
            info = tarfile.TarInfo(MANIFEST)
            info.size = len(manifest)
            tar.addfile(info, io.BytesIO(manifest))
            for done, (name, source) in enumerate(sources.items()):
                progress.step(f"Archivage de {name}", done / len(sources))
                tar.add(source, arcname=name, filter=_anonymous)
        unfinished.replace(archive)
    finally:
        unfinished.unlink(missing_ok=True)
    return list(sources)


def _anonymous(info: tarfile.TarInfo) -> tarfile.TarInfo:
    info.uid = info.gid = 0
    info.uname = info.gname = ""
    return info


def built_jars() -> dict[str, Path]:
    """Return the jars of the course's present Java programs that are in the cache, by their path in an archive."""
    apps = [
        app for app in sorted((_paths.COURSE / "apps").iterdir()) if host_builds.built_by_maven(app)
    ]
    return {f"jars/{jar.name}": jar for jar in map(jars.cached, apps) if jar.is_file()}


def _save_images(scratch: Path, progress: Progress) -> dict[str, Path]:
    """Let the engine write the images that kind needs, and the student's own; none where there is no engine."""
    from ..builds import images
    from ..providers.kind.addons import bundled_images
    from ..providers.kind.engine import find_engine, require_engine
    from ..providers.kind.state import noted_images

    saved: dict[str, Path] = {}
    if find_engine() is None:
        return saved
    engine = require_engine()
    wanted = [*bundled_images(), *images.base_images(), *noted_images()]
    for image in dict.fromkeys(wanted):
        progress.step(f"Image {image}")
        if not engine.has_image(image):
            pulled = engine.run("pull", image, timeout_s=_IMAGE_S, check=False)
            if pulled.returncode != 0:
                progress.step(f"Image {image} : absente, et impossible à télécharger ; laissée")
                continue
        target = scratch / f"{len(saved)}.tar"
        engine.save(image, target, _IMAGE_S)
        saved[f"images/{_file_name(image)}"] = target
    return saved


def save_own_images(scratch: Path, progress: Progress) -> dict[str, Path]:
    """Write the images that were pulled or loaded for embedded clusters; return them by their path in an archive."""
    from embedded_kubernetes.node.images import library

    saved: dict[str, Path] = {}
    for image in library.stored():
        progress.step(f"Image {image.name}")
        target = scratch / f"embedded-{len(saved)}.tar"
        library.save(image.name, target)
        saved[f"{EMBEDDED}/{_file_name(image.name)}"] = target
    return saved


def _file_name(image: str) -> str:
    return f"{image.replace('/', '_').replace(':', '_')}.tar"


def unpack(archive: Path, scratch: Path, progress: Progress) -> Contents:
    """Unpack an archive into `scratch` and check every file against its manifest.

    Raises
    ------
    UsageError
        Not an archive that `save` wrote.
    BinariesError
        Made for another processor, or damaged.
    """
    tried = f"Lire l’archive {archive}"
    try:
        with tarfile.open(archive, "r:gz") as tar:
            first = tar.next()
            if first is None or first.name != MANIFEST:
                raise UsageError(
                    tried,
                    "elle ne vient pas de « k8s-lab bundle save »",
                    "Refaites-la sur une machine qui a internet.",
                )
            manifest = tar.extractfile(first)
            assert manifest is not None
            contents = _read_manifest(tried, manifest.read())
            for done, name in enumerate(contents.files):
                progress.step(f"Vérification de {name}", done / len(contents.files))
                _extract(tar, tar.next(), name, scratch / name)
                _check(tried, scratch / name, name, contents.files[name])
    except (FileNotFoundError, IsADirectoryError) as error:
        raise BinariesError(tried, _french.system(error), "Vérifiez son chemin.") from None
    except (gzip.BadGzipFile, zlib.error, EOFError, tarfile.TarError) as error:
        raise BinariesError(
            tried, f"illisible ou incomplète ({error})", "Copiez l’archive de nouveau, en entier."
        ) from None
    return contents


def _read_manifest(tried: str, text: bytes) -> Contents:
    plain = json.loads(text)
    if plain.pop("schema") != SCHEMA:
        raise UsageError(
            tried,
            "elle vient d’une autre version du cours",
            "Refaites-la avec la même version qu’ici.",
        )
    contents = Contents(**plain)
    if contents.machine != platform.machine():
        raise BinariesError(
            tried,
            f"elle est faite pour {contents.machine}, cette machine est {platform.machine()}",
            "Faites une archive sur une machine du même type que celle-ci.",
        )
    return contents


def _extract(tar: tarfile.TarFile, member: tarfile.TarInfo | None, name: str, target: Path) -> None:
    inside = PurePosixPath(name)
    if member is None or member.name != name or not member.isreg() or ".." in inside.parts:
        raise tarfile.ReadError(f"{name} manque")
    source = tar.extractfile(member)
    assert source is not None
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as stream:
        shutil.copyfileobj(source, stream, 1 << 20)
    target.chmod(member.mode & 0o755)


def _check(tried: str, file: Path, name: str, expected: str) -> None:
    digest = jars.sha256(file)
    if digest != expected:
        raise BinariesError(
            tried,
            f"{name} est abîmé (SHA-256 {digest[:12]}…, attendu {expected[:12]}…)",
            "Copiez l’archive de nouveau, ou refaites-la.",
        )


def install(scratch: Path, contents: Contents, progress: Progress) -> list[str]:
    """Move checked programs into the cache, load checked images into the engine; return what was installed.

    Raises
    ------
    BinariesError
        The programs do not run here.
    CommandError
        The engine refuses an image.
    """
    from embedded_kubernetes.programs import binaries

    from ..providers.kind.engine import find_engine, require_engine

    installed = [str(binaries.install(scratch / "binaries", progress).folder)]
    installed += install_jars(scratch, contents)
    installed += install_own_images(scratch, contents, progress)
    images = [name for name in contents.files if name.startswith("images/")]
    if images and find_engine() is not None:
        engine = require_engine()
        for name in images:
            progress.step(f"Chargement de {name}")
            engine.run("load", "--input", str(scratch / name), timeout_s=_IMAGE_S)
            installed.append(name)
    return installed


def install_own_images(scratch: Path, contents: Contents, progress: Progress) -> list[str]:
    """Load checked images of embedded clusters into the store that all of them share; return their names."""
    from embedded_kubernetes.node.images import library

    files = [name for name in contents.files if name.startswith(f"{EMBEDDED}/")]
    return [name for file in files for name in library.load(scratch / file, progress)]


def install_jars(scratch: Path, contents: Contents) -> list[str]:
    """Copy checked jars into the cache, and return their new paths."""
    installed = []
    for name in contents.files:
        if name.startswith("jars/"):
            installed.append(str(jars.install(scratch / name)))
    return installed
