"""The data in the cache: found whole or made again, and copied for a new cluster."""

from __future__ import annotations

import hashlib
import json
import shutil
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ... import files, paths

if TYPE_CHECKING:
    from ...programs.binaries import Binaries

RECIPE = 1
"""Changes with what `making` keeps: data of another recipe are made again."""

FACTS, DATABASE, LOG = "made.json", "db", "wal"
DRAFT = ".making-"
WAL_FILE = "0000000000000000-0000000000000000.wal"
"""etcd's first write-ahead log (`server/storage/wal/util.go`)."""


@dataclass(frozen=True)
class FirstData:
    """Data in the cache, found whole.

    Attributes
    ----------
    folder : Path
        Holds etcd's database and log.
    uids : mapping
        For each identifier, where it is in the database (bytes from its beginning).
    seconds, texts : sequence of int
        Where the times of its making are, as protobuf and as text.
    """

    folder: Path
    uids: Mapping[str, list[int]]
    seconds: list[int]
    texts: list[int]

    def plant(self, data_dir: Path, wall_s: float | None = None) -> None:
        """Give a cluster's etcd these data, which then belong to no other cluster; all of them or none.

        Parameters
        ----------
        data_dir : Path
            etcd's folder, which does not exist.
        wall_s : float, optional
            When the cluster is made, since the epoch; now by default.
        """
        now_s = time.time() if wall_s is None else wall_s
        data = bytearray((self.folder / DATABASE).read_bytes())
        for places in self.uids.values():
            _put(data, places, str(uuid.uuid4()).encode())
        _put(data, self.seconds, _varint(int(now_s)))
        shown = datetime.fromtimestamp(now_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        _put(data, self.texts, shown.encode())
        draft = data_dir.with_name(f"{data_dir.name}.draft")
        files.delete(draft)
        member = draft / "member"
        for folder in (draft, member, member / "snap", member / "wal"):
            folder.mkdir(mode=0o700)
        (member / "snap" / "db").write_bytes(data)
        shutil.copyfile(self.folder / LOG, member / "wal" / WAL_FILE)
        draft.replace(data_dir)


def folder_of(programs: Binaries) -> Path:
    """Return where the data for these programs are kept."""
    return paths.cache_dir() / "first-data" / f"{programs.kubernetes_version}-{RECIPE}"


def read(folder: Path, programs: Binaries) -> FirstData:
    """Return the data of a folder.

    Raises
    ------
    FileNotFoundError
        They are not all there.
    OSError, ValueError, KeyError, TypeError
        They are damaged, or of another version.
    """
    facts = json.loads((folder / FACTS).read_text())
    if facts["kubernetes"] != programs.kubernetes_version or facts["recipe"] != RECIPE:
        raise ValueError("autre version")
    for name, digest in facts["sha256"].items():
        if hashlib.sha256((folder / name).read_bytes()).hexdigest() != digest:
            raise ValueError(f"{name} a changé")
    return FirstData(folder, facts["uids"], facts["seconds"], facts["texts"])


def _varint(number: int) -> bytes:
    parts = [(number >> 7 * index) & 0x7F for index in range(5)]
    return bytes([*(part | 0x80 for part in parts[:4]), parts[4]])


def _put(data: bytearray, places: list[int], value: bytes) -> None:
    for place in places:
        data[place : place + len(value)] = value
