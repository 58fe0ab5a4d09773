"""The worker: takes an order, prints it, says that it is done; one at a time. Its end waits for what is in hand."""

import hashlib
import threading
import time

import client

IDLE_S = 0.3
RETRY_S = 0.5
SIGN_S = 1.0


class Worker:
    """Prints until `stop`."""

    def __init__(self, settings, log) -> None:
        self._settings = settings
        self._log = log
        self._end = threading.Event()
        self.in_hand = None

    def stop(self) -> None:
        """Take no order any more; the one in hand is finished."""
        self._end.set()

    def run(self) -> None:
        """Take one order after the other."""
        self._log("info", "working")
        while not self._end.is_set():
            try:
                order = self._ask("/prendre", {"by": self._settings.pod})["order"]
            except client.DatabaseError as error:
                self._log("warning", "database", error=str(error))
                self._end.wait(RETRY_S)
                continue
            if order is None:
                self._end.wait(IDLE_S)
            else:
                self._print(order)

    def _print(self, order: dict) -> None:
        self.in_hand = order["id"]
        self._log("info", "taken", order=order["id"], seconds=order["seconds"])
        end_s = time.monotonic() + order["seconds"]
        about = {"id": order["id"], "by": self._settings.pod}
        while (left_s := end_s - time.monotonic()) > 0:
            time.sleep(min(left_s, SIGN_S))
            try:
                self._ask("/signe", about)
            except client.DatabaseError as error:
                self._log("warning", "database", error=str(error))
        result = hashlib.sha256(order["text"].encode()).hexdigest()[:12]
        mine = self._finish({**about, "result": result})
        self._log("info" if mine else "error", "done" if mine else "not-mine", order=order["id"])
        self.in_hand = None

    def _finish(self, body: dict) -> bool:
        """Say that an order is done, as often as it takes; return whether it was still this worker's."""
        while True:
            try:
                return self._ask("/faite", body)["yours"]
            except client.DatabaseError as error:
                self._log("warning", "database", error=str(error))
                time.sleep(RETRY_S)

    def _ask(self, path: str, body: dict) -> dict:
        return client.ask(self._settings, path, body)
