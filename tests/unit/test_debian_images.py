"""Images of Debian packages: what their layers hold, without root, Docker or any download."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from types import ModuleType

import pytest

FOLDER = Path(__file__).parents[2] / "toolchain" / "images"


def _module(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"debian_images_{name}", FOLDER / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def deb(tmp_path: Path) -> Path:
    """Return a package with a program in /bin, a page of a manual and a folder that others have too."""
    if shutil.which("dpkg-deb") is None:
        pytest.skip("dpkg-deb is not here")
    root = tmp_path / "root"
    contents = {
        "bin/hello": "#!/bin/sh\n",
        "usr/share/man/man1/hello.1": "hello",
        "usr/share/doc/hello/copyright": "free",
        "usr/share/doc/hello/changelog": "long",
        "var/lib/hello/state": "",
        "DEBIAN/control": "Package: hello\nVersion: 1\nArchitecture: all\nMaintainer: a\nDescription: b\n",
    }
    for name, text in contents.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    command = ["dpkg-deb", "--root-owner-group", "--build", root, tmp_path / "hello.deb"]
    subprocess.run(command, check=True, capture_output=True)
    return tmp_path / "hello.deb"


def _layer(deb: Path) -> tuple[str, dict[str, tarfile.TarInfo], list[str]]:
    """Return a layer of the package with a folder of our own: its digest, its members, their names in order."""
    with _module("layer").Layer(deb.parent, {"var/lib/hello"}) as layer:
        layer.merged_usr()
        layer.package(deb)
        layer.folder("var/lib/hello", 0o700, 999)
    with layer.blob, tarfile.open(fileobj=layer.blob) as tar:
        members = tar.getmembers()
    return layer.digest, {one.name: one for one in members}, [one.name for one in members]


def test_a_layer_has_each_path_once_with_its_owner(deb: Path) -> None:
    _, members, names = _layer(deb)
    assert len(names) == len(set(names))
    assert members["bin"].linkname == "usr/bin"
    assert members["usr/bin/hello"].isreg() and members["usr/bin/hello"].uid == 0
    assert (members["var/lib/hello"].mode, members["var/lib/hello"].uid) == (0o700, 999)


def test_a_layer_leaves_documentation_out_but_not_the_licence(deb: Path) -> None:
    _, members, _ = _layer(deb)
    texts = {name for name in members if members[name].isreg() and "/share/" in name}
    assert texts == {"usr/share/doc/hello/copyright"}


def test_equal_packages_give_equal_layers(deb: Path) -> None:
    assert _layer(deb)[0] == _layer(deb)[0]


@pytest.mark.parametrize(
    ("package", "tag"),
    [
        ("1:10.11.19-0+deb12u1", "10.11.19"),
        ("6.1.9+dfsg1-0+deb12u1", "6.1.9"),
        ("15.20-0", "15.20"),
    ],
)
def test_an_image_has_its_programs_version(package: str, tag: str) -> None:
    assert _module("packages").version(package) == tag
