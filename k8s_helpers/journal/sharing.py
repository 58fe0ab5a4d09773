"""Sends what `shared` makes of the student's journal to the home namespace, where the class shares one cluster.

In the background: whoever works waits for nothing and reads of no error. `K8S_HELPERS_SHARE_PROGRESS=0`, the class's
`share-progress: "false"` and `k8s-lab exercise share off` stop it.
"""

from __future__ import annotations

import atexit
import os
import threading
import time
from dataclasses import replace
from typing import Any

from .. import journal
from .._errors import K8sHelpersError
from .._french import typeset
from ..cluster import Cluster
from ..kube.api import MERGE_PATCH, ApiSession, ApiStatusError
from ..kube.classes import JOURNAL, MANAGED_BY, Enrolment
from ..kube.refusals import ignoring
from . import shared

VARIABLE = "K8S_HELPERS_SHARE_PROGRESS"
EVERY_S = 10.0
"""Not more than one write in so many seconds: what happens meanwhile goes in the next one."""
LAST_WRITE_S = 2.0
"""How long the end of the program waits for the last write."""
_ANSWER_S = 5.0
_OFF = ("0", "false", "no", "off", "non")
_FORBIDDEN = 403

ANNOUNCEMENT = (
    "Votre enseignant voit où vous en êtes : le nom des exercices, le nombre d’essais, ce que « check » y constate ; "
    "jamais vos réponses. « k8s-lab exercise share off » l’arrête."
)

_active: dict[tuple[str, str], Sharing] = {}


class Sharing:
    """Writes the journal's shared part into one ConfigMap, by a thread of its own.

    Parameters
    ----------
    api : ApiSession
        Of the student.
    home : str
        The student's home namespace.
    class_name : str
        Whose teacher looks for it.
    every_s : float
        Shortest time from one write to the next.
    """

    def __init__(
        self, api: ApiSession, home: str, class_name: str, *, every_s: float = EVERY_S
    ) -> None:
        self.api = api
        self._path = f"/api/v1/namespaces/{home}/configmaps"
        self._class_name = class_name
        self._every_s = every_s
        self._changed = threading.Condition()
        self._due = self._closing = self._forbidden = False
        self._tidied = False
        self._thread: threading.Thread | None = None

    def soon(self) -> None:
        """Have the journal written within some seconds; return at once."""
        with self._changed:
            if self._closing or self._forbidden:
                return
            self._due = True
            if self._thread is None:
                self._thread = threading.Thread(target=self._write_changes, daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def close(self, longest_s: float = LAST_WRITE_S) -> None:
        """Write what is not written yet, for so long at most."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(longest_s)

    def _write_changes(self) -> None:
        next_s = 0.0
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._due or self._closing)
                self._changed.wait_for(lambda: self._closing, max(0.0, next_s - time.monotonic()))
                if not self._due:
                    return
                self._due = False
            next_s = time.monotonic() + self._every_s
            try:
                self._write()
            except K8sHelpersError as error:
                self._forbidden = isinstance(error, ApiStatusError) and error.code == _FORBIDDEN
                if self._forbidden:
                    return

    def _write(self) -> None:
        known = journal.read()
        if not known.shares:
            return
        key = f"{known.identity}.json"
        data: dict[str, str | None] = {key: shared.of_journal(known).to_json(time.time())}
        # The field manager of this journal file: the server notes when it last wrote.
        query = {"fieldManager": f"{JOURNAL}-{known.identity}"}
        labels = {**MANAGED_BY, shared.JOURNAL_LABEL: self._class_name}
        patch = {"metadata": {"labels": labels}, "data": data}
        try:
            item = self._send("PATCH", f"{self._path}/{JOURNAL}", patch, query)
        except ApiStatusError as error:
            if error.code != 404:
                raise
            whole = {"apiVersion": "v1", "kind": "ConfigMap", **patch}
            whole["metadata"] = {"name": JOURNAL, "labels": labels}
            with ignoring(
                409
            ):  # another kernel was quicker, with the same journal or its own next write
                self._send("POST", self._path, whole, query)
            return
        change = {} if self._tidied else shared.folded(item, key)
        self._tidied = True
        if change:
            version = {"resourceVersion": item["metadata"]["resourceVersion"]}
            with ignoring(409):  # two machines at once: the other one does it, or the next start
                tidy = {"metadata": version, "data": change}
                self._send("PATCH", f"{self._path}/{JOURNAL}", tidy, query)

    def _send(self, method: str, path: str, body: object, query: dict[str, str]) -> dict[str, Any]:
        kind = MERGE_PATCH if method == "PATCH" else "application/json"
        return self.api.request(
            method, path, body=body, content_type=kind, query=query, timeout_s=_ANSWER_S
        )


def wanted(enrolment: Enrolment) -> bool:
    """Return whether the class, the environment and the student let the journal be shared."""
    if os.environ.get(VARIABLE, "1").strip().lower() in _OFF:
        return False
    return enrolment.share_progress and journal.read().shares


def begin(cluster: Cluster) -> None:
    """Share the journal from now on, where the cluster is a class's; the first time, say so in one line."""
    enrolment = cluster.provider.enrolment
    if enrolment is None or not wanted(enrolment):
        return
    home = cluster.provider.home_namespace
    known = _active.get((cluster.api.server, home))
    if known is not None:
        known.api = cluster.api  # the one before may be closed
        return
    sharing = Sharing(cluster.api, home, enrolment.class_name)
    _active[cluster.api.server, home] = sharing
    journal.listeners.append(sharing.soon)
    atexit.register(sharing.close)
    before = journal.read()
    journal.change(lambda kept: replace(kept.active(), sharing_announced=True))
    if not before.sharing_announced:
        print(typeset(ANNOUNCEMENT))


def choose(shares: bool, cluster: Cluster | None) -> None:
    """Keep whether the student shares; where not, delete what the class sees of the student.

    Raises
    ------
    K8sHelpersError
        It cannot be deleted; nothing more is written all the same.
    """
    journal.change(lambda before: replace(before, shares=shares))
    if shares or cluster is None or cluster.provider.enrolment is None:
        return
    with ignoring(404):
        cluster.api.request(
            "DELETE", f"/api/v1/namespaces/{cluster.provider.home_namespace}/configmaps/{JOURNAL}"
        )
