"""A file is written whole or not at all, whoever else writes it."""

from __future__ import annotations

import errno
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from embedded_kubernetes.errors import ResourceError
from embedded_kubernetes.files import write_whole


def test_many_writers_at_once_leave_one_whole_file_and_no_draft(tmp_path: Path) -> None:
    target = tmp_path / "current.json"
    texts = [character * 200_000 for character in "abcdefgh"]
    with ThreadPoolExecutor(len(texts)) as pool:
        for written in [pool.submit(write_whole, target, text) for text in texts * 5]:
            written.result()
    assert target.read_text() in texts
    assert list(tmp_path.iterdir()) == [target]


def test_what_cannot_be_written_leaves_the_old_one_and_no_draft(tmp_path: Path) -> None:
    target = tmp_path / "dossier"
    (target / "dedans").mkdir(parents=True)
    with pytest.raises(OSError):
        write_whole(target, "texte")
    assert list(tmp_path.iterdir()) == [target]


def test_a_private_file_is_its_owner_s_alone(tmp_path: Path) -> None:
    target = tmp_path / "cle"
    write_whole(target, b"secret", private=True)
    assert target.stat().st_mode & 0o777 == 0o600
    write_whole(target, "é")
    assert target.read_bytes() == "é".encode()


def test_a_full_disk_is_said_in_french_and_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "current.json"
    write_whole(target, "avant")

    def full(number: int, _: str) -> None:
        os.close(number)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fdopen", full)
    with pytest.raises(ResourceError, match="plus de place"):
        write_whole(target, "après")
    assert target.read_text() == "avant" and list(tmp_path.iterdir()) == [target]
