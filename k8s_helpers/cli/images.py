"""`k8s-lab image`: the images that the cluster can run, the same words on kind and on the embedded cluster."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .. import _french
from .._errors import UsageError
from .._progress import reporting
from .french import FrenchCommand, FrenchGroup
from .options import Selection, cluster_options

if TYPE_CHECKING:
    from ..builds.publication import Publication
    from ..providers.base import StoredImage

ORIGINS = {
    "host": "programmes de cette machine",
    "built": "construite ici",
    "pulled": "téléchargée",
    "loaded": "chargée d’une archive",
    "node": "dans le nœud",
    "registry": "tirée par les nœuds",
}
"""Where an image comes from, in French."""

PLATFORMS = ("linux/amd64", "linux/arm64")
"""What `push` makes images for."""

_HEADS = ("IMAGE", "ID", "TAILLE", "BASE", "ORIGINE")
_SHOWN_ID = 12

image = FrenchGroup("image", help="Les images que le cluster peut lancer.")


@image.command(cls=FrenchCommand, help="Télécharge une image de son registre, pour le cluster.")
@click.argument("reference", metavar="IMAGE")
@cluster_options
def pull(selection: Selection, reference: str) -> None:
    """Fetch an image from its registry."""
    provider = selection.running()
    with reporting(None) as progress:
        name = provider.pull_image(reference, progress)
    click.echo(f"{name} est là : un pod peut la lancer.")


@image.command(
    cls=FrenchCommand, help="Charge une archive de « docker save », « podman save » ou OCI."
)
@click.argument("archive", metavar="ARCHIVE.tar", type=click.Path(path_type=Path))
@cluster_options
def load(selection: Selection, archive: Path) -> None:
    """Give the cluster the images of an archive."""
    provider = selection.running()
    with reporting(None) as progress:
        names = provider.load_images(archive, progress)
    for name in names:
        click.echo(f"{name} est là : un pod peut la lancer.")


@image.command(cls=FrenchCommand, help="Construit une image d’un dossier qui a un Containerfile.")
@click.argument("folder", metavar="DOSSIER", type=click.Path(path_type=Path))
@click.option("--tag", "-t", metavar="NOM:ÉTIQUETTE", required=True, help="Le nom de l’image.")
@click.option(
    "--build-arg", "arguments", metavar="NOM=VALEUR", multiple=True, help="Une valeur pour un ARG."
)
@cluster_options
def build(selection: Selection, folder: Path, tag: str, arguments: tuple[str, ...]) -> None:
    """Build an image where the cluster runs it."""
    values = _values(arguments)
    provider = selection.running()
    with reporting(None) as progress:
        provider.build_image(folder.absolute(), tag, values, progress)
    click.echo(f"{provider.image_prefix}{tag} est là : un pod peut la lancer.")


def _values(arguments: Sequence[str]) -> dict[str, str]:
    values = dict(argument.partition("=")[::2] for argument in arguments)
    for argument in arguments:
        if "=" not in argument:
            raise UsageError(
                f"Comprendre « --build-arg {argument} »",
                "il y manque une valeur",
                "Écrivez par exemple : --build-arg VERSION=v2.",
            )
    return values


@image.command(
    "list", cls=FrenchCommand, help="Donne les images du cluster, leur taille, leur base."
)
@click.option("--json", "as_json", is_flag=True, help="Pour un programme.")
@cluster_options
def list_(selection: Selection, as_json: bool) -> None:
    """Print the images that the cluster has."""
    images = selection.running().images()
    if as_json:
        click.echo(json.dumps([asdict(image) for image in images], ensure_ascii=False, indent=2))
    else:
        click.echo(table(images))


def table(images: Sequence[StoredImage]) -> str:
    """Return images as the lines of a table."""
    lines = [_HEADS, *(_cells(image) for image in images)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(_HEADS))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def _cells(image: StoredImage) -> tuple[str, ...]:
    identity = image.image_id.removeprefix("sha256:")[:_SHOWN_ID]
    return image.name, identity, _size(image.size_bytes), image.base or "–", ORIGINS[image.origin]


def _size(count: int) -> str:
    if count == 0:
        return "–"
    megabytes = count / 1e6
    return (
        f"{_french.number(megabytes, 1 if megabytes < 100 else 0)} Mo"
        if count >= 1e5
        else "< 0,1 Mo"
    )


@image.command(cls=FrenchCommand, help="Supprime une image du cluster.")
@click.argument("reference", metavar="IMAGE")
@cluster_options
def remove(selection: Selection, reference: str) -> None:
    """Take an image away."""
    selection.running().remove_image(reference)
    click.echo(f"{reference} n’est plus là.")


@image.command(
    cls=FrenchCommand,
    help="Construit les images du cours (amd64 et arm64, sans Docker) et les envoie à un registre.",
)
@click.argument("registry", metavar="REGISTRE[/CHEMIN]")
@click.option("--app", "apps", metavar="NOM", multiple=True, help="Ce programme seulement.")
@click.option(
    "--platform",
    "platforms",
    metavar="OS/ARCH",
    type=click.Choice(PLATFORMS),
    multiple=True,
    help=f"Cette architecture seulement ; sinon {' et '.join(PLATFORMS)}.",
)
@click.option(
    "--out",
    metavar="FICHIER",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Écrit chaque nom avec son empreinte, pour « class create --images ».",
)
@click.option("--username", metavar="NOM", help="Sinon, celui de « docker login ».")
@click.option("--password-stdin", is_flag=True, help="Lit le mot de passe, ou un jeton, sur stdin.")
def push(
    registry: str,
    apps: tuple[str, ...],
    platforms: tuple[str, ...],
    out: Path | None,
    username: str | None,
    password_stdin: bool,
) -> None:
    """Give a registry the images of the course; no cluster is needed."""
    from ..builds import publication

    credentials = _credentials(username, password_stdin)
    with reporting(None) as progress:
        published = publication.publish(
            registry,
            progress,
            names=apps,
            platforms=platforms or PLATFORMS,
            credentials=credentials,
        )
    click.echo(_pushed(published))
    if out is not None:
        _write(out, published)


def _credentials(username: str | None, password_stdin: bool) -> tuple[str, str] | None:
    if not username and not password_stdin:
        return None
    password = sys.stdin.readline().rstrip("\n") if password_stdin else ""
    if username and password:
        return username, password
    raise UsageError(
        "S’identifier auprès du registre",
        "il faut les deux : --username et --password-stdin",
        "Écrivez : k8s-lab image push REGISTRE --username NOM --password-stdin < jeton.txt",
    )


def _pushed(published: Publication) -> str:
    """Return what a registry has now: a line for each image, then what is to be known."""
    rows = [
        ("IMAGE", "EMPREINTE"),
        *(_pinned(name, pinned) for name, pinned in published.references.items()),
    ]
    width = max(len(name) for name, _ in rows)
    lines = [f"{name.ljust(width)}  {digest}" for name, digest in rows]
    sent = published.sent_bytes
    lines.append(f"Envoyé : {_size(sent)}." if sent else "Tout y était déjà : rien n’a été envoyé.")
    return "\n".join([*lines, *published.notes])


def _pinned(name: str, pinned: str) -> tuple[str, str]:
    return name, pinned.rpartition("@")[2]


def _write(path: Path, published: Publication) -> None:
    try:
        path.write_text(published.lines(), "utf-8")
    except OSError as error:
        raise UsageError(
            f"Écrire « {path} »", _french.system(error), "Choisissez un autre fichier (--out)."
        ) from None
    click.echo(f"{path} : à donner à « k8s-lab class create --images {path} ».")
