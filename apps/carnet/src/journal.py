"""Notes kept in one file: a line of JSON is added for each note, and none is ever changed (an append-only log).

That is the heart of every database: what has been confirmed is on the disk. `cat notes.jsonl` shows all of it.
"""

import json
import os
import threading
from pathlib import Path

FILE = "notes.jsonl"


class Journal:
    """The notes of one folder."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / FILE
        self._lock = threading.Lock()
        self._file = self.path.open("ab", buffering=0)  # open as long as the program
        self._notes = list(self._read())
        if self.path.stat().st_size and not self.path.read_bytes().endswith(b"\n"):
            self._file.write(
                b"\n"
            )  # a line cut by a sudden end: what follows must begin on its own

    def _read(self):
        for line in self.path.read_bytes().splitlines():
            try:
                yield json.loads(line)["text"]
            except (ValueError, KeyError, TypeError):
                continue  # cut while it was written, hence never confirmed

    def notes(self) -> list:
        """Return all notes, the oldest first."""
        with self._lock:
            return list(self._notes)

    def add(self, text: str) -> int:
        """Keep a note; return how many there are once it is on the disk."""
        line = json.dumps({"text": text}, ensure_ascii=False).encode() + b"\n"
        with self._lock:
            self._file.write(line)
            os.fsync(self._file.fileno())
            self._notes.append(text)
            return len(self._notes)
