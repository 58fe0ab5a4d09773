"""Paths of containers without a mount namespace."""

from pathlib import Path

import pytest

from embedded_kubernetes.node.cri import Mount
from embedded_kubernetes.node.runtime.prefix import Translator, lay, owned_paths
from embedded_kubernetes.node.storage.atomic_writer import File, write


@pytest.fixture
def translator():
    return Translator("/R", ["/app", "/etc/shop", "/usr/local/bin/serve", "/data/a.b"])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/app", "/R/app"),
        ("/app/main.py", "/R/app/main.py"),
        ("--root=/app --conf=/etc/shop/x", "--root=/R/app --conf=/R/etc/shop/x"),
        ("cat /app/a>/tmp/b;ls '/etc/shop'", "cat /R/app/a>/R/tmp/b;ls '/R/etc/shop'"),
        (
            "/usr/local/bin:/app/bin:/usr/local/bin/serve",
            "/usr/local/bin:/R/app/bin:/R/usr/local/bin/serve",
        ),
        ("/application /app.jar /app-2", "/application /app.jar /app-2"),
        ("http://shop/app/x", "http://shop/app/x"),
        ("/etc/shops /etc/hosts", "/etc/shops /etc/hosts"),
        ("/data/a.b /data/axb", "/R/data/a.b /data/axb"),
        ("../app ./app", "../app ./app"),
    ],
)
def test_only_the_containers_own_paths_are_rewritten(translator, text, expected):
    assert translator.text(text) == expected


def test_what_an_image_owns_is_the_topmost_of_its_own(tmp_path):
    for name in ("app/src/a", "etc/shop/conf", "usr/local/bin/serve", "var/lib/shop/db"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    assert set(owned_paths(tmp_path)) == {
        "/app",
        "/etc/shop",
        "/usr/local/bin/serve",
        "/var/lib/shop",
    }


def test_a_laid_out_folder_has_image_volumes_and_working_directory(tmp_path):
    image, volume, root = tmp_path / "image", tmp_path / "volume", tmp_path / "root"
    (image / "app").mkdir(parents=True)
    (image / "app/a").write_text("image")
    (image / "app/conf").mkdir()
    volume.mkdir()
    (volume / "b").write_text("volume")
    token = Mount(volume, "/var/run/secrets/x")
    translator = lay(root, [image], (Mount(volume, "/app/conf"), token), "/work/here")
    assert (root / "app/a").read_text() == "image"
    assert (root / "app/conf/b").read_text() == "volume"
    assert (root / "run/secrets/x/b").read_text() == "volume"
    assert (root / "work/here").is_dir()
    assert translator.argv(["/app/a", "/work/here", "/var/run/secrets/x/b"]) == [
        f"{root}/app/a",
        f"{root}/work/here",
        f"{root}/var/run/secrets/x/b",
    ]
    (root / "app/a").write_text("changed")
    assert (image / "app/a").read_text() == "image"


def test_a_volume_covers_a_folder_that_the_host_has_too(tmp_path):
    image, volume, root = tmp_path / "image", tmp_path / "volume", tmp_path / "root"
    image.mkdir()
    volume.mkdir()
    (volume / "note").write_text("volume")
    translator = lay(root, [image], (Mount(volume, "/opt"),), "/")
    assert translator.argv(["cat", "/opt/note", "/srv/note"]) == [
        "cat",
        f"{root}/opt/note",
        "/srv/note",
    ]
    assert (root / "opt/note").read_text() == "volume"


def test_a_file_mounted_alone_keeps_its_content_when_its_volume_changes(tmp_path):
    image, volume, root = tmp_path / "image", tmp_path / "volume", tmp_path / "root"
    image.mkdir()
    write(volume, {"a": File(b"one", 0o400)})
    alone = (volume / "a").resolve()
    lay(root, [image], (Mount(volume, "/whole"), Mount(alone, "/etc/shop/a")), "/")
    write(volume, {"a": File(b"two", 0o400)})
    assert not alone.exists()
    assert (root / "whole/a").read_text() == "two"
    assert (root / "etc/shop/a").read_text() == "one"


def test_a_file_that_is_mounted_is_the_same_on_both_sides(tmp_path):
    image, note, root = tmp_path / "image", tmp_path / "note", tmp_path / "root"
    image.mkdir()
    note.write_text("host")
    lay(root, [image], (Mount(note, "/dev/termination-log"),), "/")
    (root / "dev/termination-log").write_text("container")
    assert note.read_text() == "container"


def test_a_file_of_another_file_system_is_shown_all_the_same(tmp_path):
    image, root = tmp_path / "image", tmp_path / "root"
    image.mkdir()
    lay(root, [image], (Mount(Path("/proc/version"), "/version"),), "/")
    assert (root / "version").read_text() == Path("/proc/version").read_text()
