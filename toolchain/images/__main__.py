"""Images of Debian packages, for a machine that reaches no container registry: no Docker, no root.

    python3 toolchain/images [--out FOLDER] [NAME…]

Makes the images of `recipes.py` (all of them, or those named) and prints each one's reference and archive, separated by
a tab. An archive is read by `k8s-lab image load`, `kind load image-archive`, `docker load` and, unpacked, by anything
that knows the OCI image layout. It needs `apt-get` and `dpkg-deb` (Debian, Ubuntu), which fetch packages and nothing
else; an image that is there with the same packages is not made again.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import archive
import packages
from layer import Layer
from recipes import BASE, RECIPES, Recipe

PREFIX = "docker.io/debian-packages"
FOLDER = Path(__file__).parent
ACCOUNTS = ("passwd", "group")


def cache() -> Path:
    """Return where packages and archives are kept."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home, "k8s-helpers", "debian-images")


def image(recipe: Recipe, bases: list[Layer], out: Path) -> tuple[str, Path]:
    """Make an image where it is not there, and return its reference and its archive; `bases` keeps the shared layer."""
    names = (*BASE, *recipe.packages) if recipe.on_base else recipe.packages
    wanted = packages.resolve(names, out)
    key = packages.key(wanted, FOLDER)
    version = packages.version(wanted[recipe.versioned])
    path = out / f"{recipe.name}-{key}.tar"
    reference = recipe.reference or f"{PREFIX}/{recipe.name}:{version}"
    if not path.exists():
        debs = packages.fetch(names, out)
        shared = packages.resolve(BASE, out) if recipe.on_base else {}
        if recipe.on_base and not bases:
            bases.append(base_layer({name: debs[name] for name in shared}, out))
        own = {name: deb for name, deb in debs.items() if name not in shared}
        layers = [*bases[: recipe.on_base], own_layer(recipe, own, bases, out)]
        archive.write(path, reference, layers, recipe.config)
        for old in set(out.glob(f"{recipe.name}-*.tar")) - {path}:
            old.unlink()
    return reference, path


def base_layer(debs: dict[str, Path], out: Path) -> Layer:
    """Return what images share: a C library, a shell and the usual commands."""
    with Layer(out) as layer:
        layer.merged_usr()
        for name in sorted(debs):
            layer.package(debs[name])
        for name in ACCOUNTS:
            layer.file(f"etc/{name}", _accounts(layer, name))
    return layer


def own_layer(recipe: Recipe, debs: dict[str, Path], bases: list[Layer], out: Path) -> Layer:
    """Return what only this image has."""
    with Layer(out, {*recipe.files, *recipe.links, *recipe.folders}) as layer:
        if not recipe.on_base:
            layer.merged_usr()
        for name in sorted(debs):
            if not recipe.leaves_out(name):
                layer.package(debs[name])
        if recipe.user:
            user, uid, home = recipe.user
            added = {
                "passwd": f"{user}:x:{uid}:{uid}::{home}:/bin/sh\n",
                "group": f"{user}:x:{uid}:\n",
            }
            for name in ACCOUNTS:
                layer.file(f"etc/{name}", _accounts(bases[0], name) + added[name])
        for path, source in recipe.files.items():
            text = (FOLDER / "files" / source).read_text("utf-8")
            layer.file(path, text, 0o755 if source.endswith(".sh") else 0o644)
        for path, target in recipe.links.items():
            layer.link(path, target)
        for path, (mode, owner) in recipe.folders.items():
            layer.folder(path, mode, owner)
    return layer


def _accounts(base: Layer, name: str) -> str:
    return base.text(f"usr/share/base-passwd/{name}.master").replace(":*:", ":x:")


def images(names: list[str], out: Path) -> Iterator[tuple[str, Path]]:
    """Make the named images in turn."""
    bases: list[Layer] = []
    for recipe in RECIPES:
        if recipe.name in names:
            yield image(recipe, bases, out)


def main() -> int:
    """Make what is asked for."""
    known = [recipe.name for recipe in RECIPES]
    parser = argparse.ArgumentParser(prog="toolchain/images", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(known))
    parser.add_argument("--out", type=Path, default=cache(), help="where packages and archives go")
    options = parser.parse_args()
    if unknown := sorted(set(options.names) - set(known)):
        parser.error(f"no such image: {', '.join(unknown)}; there are {', '.join(known)}")
    if missing := [name for name in ("apt-get", "dpkg-deb") if shutil.which(name) is None]:
        parser.error(f"{' and '.join(missing)} needed: images are made of Debian's packages")
    options.out.mkdir(parents=True, exist_ok=True)
    for reference, path in images(options.names or known, options.out):
        print(reference, path, sep="\t", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
