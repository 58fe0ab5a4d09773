"""Layers of an image as one tree."""

import os
import stat

import pytest

from embedded_kubernetes.node.runtime.layers import copying, overlay
from embedded_kubernetes.node.storage import disk


def lay(folder, files):
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return folder


def tree(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_text()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_the_topmost_layer_comes_first():
    assert overlay.options(["low", "high"], "own", "work", ("userxattr", "volatile")) == (
        "lowerdir=high:low,upperdir=own,workdir=work,userxattr,volatile"
    )


def test_a_later_layer_replaces_and_takes_away(tmp_path):
    low = lay(tmp_path / "low", {"etc/a": "1", "etc/b": "1", "opt/x/y": "1", "run": "1"})
    high = lay(tmp_path / "high", {"etc/b": "2", "etc/.wh.a": "", "run/pid": "2"})
    (high / "opt").mkdir()
    os.mknod(high / "opt/x", stat.S_IFCHR | 0o600, 0)
    root = tmp_path / "root"
    root.mkdir()
    copying.copy_layers([str(low), str(high)], str(root))
    assert tree(root) == {"etc/b": "2", "run/pid": "2"}
    assert not (root / "opt/x").exists()


@pytest.mark.parametrize("mark", ["file", "attribute"])
def test_an_opaque_folder_hides_what_is_below(tmp_path, mark):
    low = lay(tmp_path / "low", {"etc/a": "1", "etc/sub/b": "1", "c": "1"})
    high = lay(tmp_path / "high", {"etc/sub/d": "2"})
    if mark == "file":
        (high / "etc/.wh..wh..opq").touch()
    else:
        try:
            os.setxattr(high / "etc", "user.overlay.opaque", b"y")
        except OSError as error:
            pytest.skip(f"no such attributes here: {error}")
    root = tmp_path / "root"
    root.mkdir()
    copying.copy_layers([str(low), str(high)], str(root))
    assert tree(root) == {"etc/sub/d": "2", "c": "1"}


def test_modes_links_and_names_of_one_file_are_kept(tmp_path):
    low = lay(tmp_path / "low", {"bin/su": "1"})
    (low / "bin/su").chmod(0o4755)
    (low / "bin/again").hardlink_to(low / "bin/su")
    (low / "bin/link").symlink_to("/etc/passwd")
    (low / "bin").chmod(0o555)
    root = tmp_path / "root"
    root.mkdir()
    copying.copy_layers([str(low)], str(root))
    assert stat.S_IMODE((root / "bin/su").stat().st_mode) == 0o4755
    assert (root / "bin/su").samefile(root / "bin/again")
    assert (root / "bin/link").readlink().as_posix() == "/etc/passwd"
    assert stat.S_IMODE((root / "bin").stat().st_mode) == 0o555
    copying.remove(str(root))
    assert not root.exists()


def test_where_marks_of_overlayfs_can_be_made(tmp_path, monkeypatch):
    def refuse(*_):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(overlay.os, "mknod", refuse)
    assert not overlay.holds_marks(str(tmp_path))
    assert not list(tmp_path.iterdir())


def test_what_a_container_closed_is_measured_by_who_may_look(tmp_path, monkeypatch):
    lay(tmp_path, {"a": "1" * 5000})
    open_bytes = disk.written_bytes(tmp_path)
    assert open_bytes >= 5000
    monkeypatch.setattr(disk, "written", lambda _: (7, False))
    for theirs, measured in ((9000, 9000), (None, 7)):
        monkeypatch.setattr(disk.ranges, "written_bytes", lambda _, answer=theirs: answer)
        assert disk.written_bytes(tmp_path) == measured


def test_removing_leaves_what_a_link_points_to(tmp_path):
    kept = lay(tmp_path / "kept", {"a": "1"})
    folder = lay(tmp_path / "gone", {"closed/b": "1"})
    (folder / "link").symlink_to(kept)
    (folder / "closed").chmod(0)
    copying.remove(str(folder))
    copying.remove(str(folder))
    assert tree(kept) == {"a": "1"}
    assert not folder.exists()
