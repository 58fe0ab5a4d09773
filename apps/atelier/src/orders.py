"""The orders, kept in one file: a line of JSON is added for each thing that happens, and none is ever changed.

What an order has come to is found by reading the file from its start. `cat commandes.jsonl` shows all of it.
"""

import json
import os
import threading
import time
from pathlib import Path

FILE = "commandes.jsonl"

SILENT_S = 6.0
"""A worker that says nothing for so long is believed dead: its order goes to another one, who begins again."""


class Orders:
    """The orders of one folder."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / FILE
        self._lock = threading.Lock()
        self._file = path.open("ab", buffering=0)
        self._orders = {}
        self._heard_s = {}
        for line in path.read_bytes().splitlines():
            try:
                self._apply(json.loads(line))
            except (ValueError, KeyError, TypeError):
                continue  # cut while it was written, hence never confirmed
        if path.stat().st_size and not path.read_bytes().endswith(b"\n"):
            self._file.write(b"\n")  # what follows a line cut by a sudden end begins on its own

    def all(self) -> list:
        """Return all orders, the oldest first."""
        with self._lock:
            return [dict(order) for order in self._orders.values()]

    def add(self, text: str, seconds: float) -> dict:
        """Take an order; return it once it is on the disk."""
        with self._lock:
            number = len(self._orders) + 1
            return self._write({"event": "new", "id": number, "text": text, "seconds": seconds})

    def take(self, worker: str) -> dict | None:
        """Give the oldest order that waits, or that its worker has left, to this one; None where there is none."""
        now_s = time.monotonic()
        with self._lock:
            for number, order in self._orders.items():
                left = order["state"] == "en cours" and now_s - self._heard_s[number] > SILENT_S
                if order["state"] == "attend" or left:
                    return self._write({"event": "taken", "id": number, "by": worker})
        return None

    def renew(self, number: int, worker: str) -> bool:
        """Hear that a worker is still at it; return whether the order is its own."""
        with self._lock:
            mine = self._is_of(number, worker)
            if mine:
                self._heard_s[number] = time.monotonic()
            return mine

    def finish(self, number: int, worker: str, result: str) -> bool:
        """Note that an order is done; return whether it was this worker's to do."""
        with self._lock:
            mine = self._is_of(number, worker)
            if mine:
                self._write({"event": "done", "id": number, "by": worker, "result": result})
            return mine

    def _is_of(self, number: int, worker: str) -> bool:
        order = self._orders.get(number, {})
        return order.get("state") == "en cours" and order["by"] == worker

    def _write(self, event: dict) -> dict:
        self._file.write(json.dumps(event, ensure_ascii=False).encode() + b"\n")
        os.fsync(self._file.fileno())
        return dict(self._apply(event))

    def _apply(self, event: dict) -> dict:
        number = event["id"]
        if event["event"] == "new":
            order = {"id": number, "text": event["text"], "seconds": event["seconds"]}
            self._orders[number] = order | {"state": "attend", "begun": 0, "by": ""}
        order = self._orders[number]
        if event["event"] == "taken":
            order |= {"state": "en cours", "begun": order["begun"] + 1, "by": event["by"]}
            self._heard_s[number] = time.monotonic()  # at a start too: nobody could speak meanwhile
        elif event["event"] == "done":
            order |= {"state": "faite", "result": event["result"]}
        return order
