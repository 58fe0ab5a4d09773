"""A student's given namespaces: one is taken for each name that is asked for, emptied, and given back.

Who has one is said by a Lease in it, which is only ever changed from the state that was read: of two that want the same
namespace, the API server lets one have it.

Source: https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions
"""

from __future__ import annotations

import contextlib
import functools
import random
import secrets
import threading
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from ..._errors import ApiRefusedError, K8sHelpersError, PoolWarning, WaitTimeoutError
from ...kube.api import ApiSession, ApiStatusError
from ...kube.classes import LEASE, Enrolment
from ...kube.discovery import Kind
from . import emptying, leases
from .leases import CLAIMED, EMPTYING, READY, Holding

EMPTY_S = 45.0
"""Longest wait for a namespace to be empty before another is taken."""
_AT_ONCE = 6
_LOOK_S = 0.2

_GONE = (
    "il a été supprimé, ou est en train de disparaître (Terminating) : vous n’y avez plus de droits ; dites-le à votre "
    "enseignant"
)

_unfinished: set[str] = set()
"""Takes that this process was kept from giving back."""


@contextlib.contextmanager
def _unfinished_otherwise(holding: Holding) -> Iterator[None]:
    """Note that nobody gives a namespace back any more, where the block fails or is interrupted."""
    try:
        yield
    except BaseException as error:
        if not isinstance(error, WaitTimeoutError):
            _unfinished.add(holding.take)
        raise


class Pool:
    """The namespaces that a class gives a student.

    Parameters
    ----------
    api : ApiSession
        Acts as the student.
    enrolment : Enrolment
        What the class has given.
    """

    def __init__(self, api: ApiSession, enrolment: Enrolment) -> None:
        self._api = api
        self.enrolment = enrolment
        self._lock = threading.Lock()
        self._takes: dict[str, Holding] = {}
        """By the asked name, what this process has taken and has to renew."""
        self._wake = threading.Event()
        self._renewing: threading.Thread | None = None

    @functools.cached_property
    def _kinds(self) -> tuple[Kind, ...]:
        return emptying.deletable(self._api)

    # --- what is so

    def holdings(self) -> list[Holding]:
        """Return who has each namespace, in the class's order; without those that are gone."""
        return self._read({})

    def find(self, asked: str) -> Holding | None:
        """Return the namespace that holds a name; None where none does."""
        return next((item for item in self._read({}) if item.asked == asked), None)

    def metadata(self, asked: str) -> dict[str, Any] | None:
        """Return what is noted of a name's namespace, as the metadata of an object; None where none holds it."""
        holding = self.find(asked)
        if holding is None or holding.phase != READY or self._unusable(holding.namespace):
            return None
        return {
            "name": holding.namespace,
            "annotations": dict(holding.notes),
            "creationTimestamp": holding.acquired,
        }

    def annotate(self, asked: str, notes: Mapping[str, str]) -> None:
        """Note something of a name's namespace, for as long as it is held.

        Raises
        ------
        ApiRefusedError
            No namespace holds that name.
        """
        while (holding := self.find(asked)) is not None:
            if self._write(replace(holding, notes={**holding.notes, **notes})) is not None:
                return
        raise ApiRefusedError(
            f"Noter où en est « {asked} »",
            "aucun de vos espaces de noms ne le porte : il a été rendu entre-temps",
            "Relancez la cellule.",
        )

    def abandoned(self) -> list[Holding]:
        """Return what nobody will give back any more."""
        pod, now_wall_s = leases.own_pod(), time.time()
        return [
            holding
            for holding in self._read({})
            if holding.take in _unfinished or holding.ended(now_wall_s, pod)
        ]

    # --- taking

    def take(self, asked: str, timeout_s: float, *, passing: bool) -> str:
        """Return the namespace that holds a name; a free one, emptied, where none does.

        Parameters
        ----------
        asked : str
            As the course calls it.
        timeout_s : float
            Longest wait.
        passing : bool
            It ends with this process at the latest.

        Raises
        ------
        ApiRefusedError
            None is free: says who has which.
        WaitTimeoutError
            Another process that takes it for the same name does not come to an end.
        """
        end_s = time.monotonic() + timeout_s
        skipped: dict[str, str] = {}
        while True:
            holdings = self._usable(skipped)
            now_wall_s, pod = time.time(), leases.own_pod()
            mine = next((item for item in holdings if item.asked == asked), None)
            if mine is not None and not mine.ended(now_wall_s, pod):
                if mine.phase != READY:
                    self._wait_for_other(mine, end_s)
                elif (why := self._unusable(mine.namespace)) is None:
                    return mine.namespace
                else:
                    self._skip(mine.namespace, why, skipped)
                continue
            wanted = mine or self._choose(holdings, now_wall_s, pod)
            if wanted is None:
                raise self._none_free(asked, holdings, skipped)
            if (why := self._unusable(wanted.namespace)) is not None:
                self._skip(wanted.namespace, why, skipped)
                continue
            claimed = self._claim(wanted, asked, skipped, passing=passing)
            if claimed is not None and (name := self._prepare(claimed, skipped, end_s)):
                return name

    def _usable(self, skipped: dict[str, str]) -> list[Holding]:
        """Return who has each namespace; those that turn out to be gone are skipped, and said."""
        lost: dict[str, str] = dict(skipped)
        holdings = self._read(lost)
        for name in lost.keys() - skipped.keys():
            self._skip(name, lost[name], skipped)
        return holdings

    def _choose(self, holdings: Sequence[Holding], now_wall_s: float, pod: str) -> Holding | None:
        """Return the one to take: free longest, where nothing was stuck before; one whose holder has ended else."""
        usable = [item for item in holdings if item.free or item.ended(now_wall_s, pod)]
        return min(
            usable,
            key=lambda item: (not item.free, bool(item.stuck), item.renewed_wall_s),
            default=None,
        )

    def _wait_for_other(self, mine: Holding, end_s: float) -> None:
        """Let time pass while another process empties the namespace for the same name."""
        if time.monotonic() >= end_s:
            raise WaitTimeoutError(
                f"Prendre un espace de noms pour « {mine.asked} »",
                f"« {mine.namespace} » est en train d’être vidé pour ce nom par un autre ({mine.holder})",
                "Attendez qu’il ait fini, puis relancez la cellule.",
            )
        time.sleep(_LOOK_S)

    def _claim(
        self, wanted: Holding, asked: str, skipped: dict[str, str], *, passing: bool
    ) -> Holding | None:
        """Return it as ours; None where another was quicker, here or elsewhere under the same name."""
        take = secrets.token_hex(8)
        try:
            held = self._write(wanted.taken(asked, take, time.time(), lasting=not passing))
        except ApiStatusError as error:
            if error.code not in (403, 404):
                raise
            skipped[wanted.namespace] = error.found
            return None
        if held is None:
            return None
        # Whoever claims the same name later than another sees it here; if both do, both begin again.
        rivals = [item for item in self._read({}) if item.asked == asked and item.take != take]
        if not any(not rival.ended(time.time(), held.pod) for rival in rivals):
            return held
        self._write(held.freed(wanted.renewed_wall_s, wanted.stuck))
        if all(rival.phase == CLAIMED for rival in rivals):
            time.sleep(random.uniform(0.0, _LOOK_S))
        return None

    def _prepare(self, claimed: Holding, skipped: dict[str, str], end_s: float) -> str:
        """Empty what was claimed, and return its name; "" where that does not come to an end, or it was lost."""
        held = self._write(replace(claimed, phase=EMPTYING))
        if held is None:
            return ""
        try:
            with _unfinished_otherwise(held):
                left_s = max(1.0, min(EMPTY_S, end_s - time.monotonic()))
                emptying.empty(self._api, self._kinds, held.namespace, 1.0, left_s)
        except WaitTimeoutError as error:
            self._write(held.freed(time.time(), error.found))
            self._skip(held.namespace, error.found, skipped)
            return ""
        ready = self._write(replace(held, phase=READY, stuck="", renewed_wall_s=time.time()))
        if ready is None:
            return ""
        if not ready.lasting:
            self._renew(ready)
        return ready.namespace

    @staticmethod
    def _skip(namespace: str, why: str, skipped: dict[str, str]) -> None:
        skipped[namespace] = why
        warnings.warn(f"« {namespace} » n’est pas utilisé : {why}", PoolWarning, stacklevel=2)

    def _none_free(
        self, asked: str, holdings: Sequence[Holding], skipped: Mapping[str, str]
    ) -> ApiRefusedError:
        lines = [
            f"{item.namespace} : « {item.asked} »"
            + ("" if item.lasting else f", en ce moment même ({item.holder})")
            for item in holdings
            if not item.free
        ]
        lines += [f"{name} : {why}" for name, why in skipped.items()]
        listed = "".join(f"\n    {line}" for line in lines)
        found = f"aucun de vos {len(self.enrolment.namespaces)} espaces de noms n’est libre{listed}"
        if not self.enrolment.namespaces:
            found = "votre enseignant ne vous en a donné aucun"
        return ApiRefusedError(
            f"Prendre un espace de noms pour « {asked} »",
            found,
            'Rendez-en un : « k8s-lab exercise stop EXERCICE » pour un exercice (stop("…") dans un notebook), '
            "« k8s-lab namespaces free NOM » pour tout autre.",
        )

    # --- giving back

    def give_back(self, asked: str, grace_s: float, timeout_s: float) -> None:
        """Empty the namespace of a name and give it back; nothing happens where none holds it.

        Parameters
        ----------
        grace_s : float
            Time that its pods get to stop.
        timeout_s : float
            Longest wait; 0 waits for nothing: whoever takes it next does.

        Raises
        ------
        WaitTimeoutError
            Says what is stuck; it is given back all the same.
        """
        with self._lock:
            taken = self._takes.pop(asked, None)
        try:
            holding = self.find(asked)
        except K8sHelpersError:
            if taken is not None:
                _unfinished.add(taken.take)
            raise
        if holding is None or (taken is not None and taken.take != holding.take):
            return  # it has lapsed, and somebody else has it
        self.release(holding, grace_s, timeout_s)

    def release(self, holding: Holding, grace_s: float, timeout_s: float) -> None:
        """Empty a namespace and give it back, whoever has it; see `give_back`."""
        stuck: WaitTimeoutError | None = None
        with _unfinished_otherwise(holding):
            if timeout_s:
                try:
                    emptying.empty(self._api, self._kinds, holding.namespace, grace_s, timeout_s)
                except WaitTimeoutError as error:
                    stuck = error
            else:
                with contextlib.suppress(ApiStatusError):
                    emptying.tell(self._api, self._kinds, holding.namespace, grace_s)
            self._free(holding, stuck.found if stuck is not None else "")
        if stuck is not None:
            raise stuck

    def _free(self, holding: Holding, stuck: str) -> None:
        now: Holding | None = holding
        while now is not None and now.take == holding.take and not now.free:
            if self._write(now.freed(time.time(), stuck)) is not None:
                return
            now = self._lease(holding.namespace)

    # --- renewing

    def _renew(self, holding: Holding) -> None:
        """Say from now on that this process lives."""
        with self._lock:
            self._takes[holding.asked] = holding
            if self._renewing is None or not self._renewing.is_alive():
                self._renewing = threading.Thread(target=self._renew_all, daemon=True)
                self._renewing.start()

    def _renew_all(self) -> None:
        while not self._wake.wait(leases.RENEW_S):
            with self._lock:
                takes = list(self._takes.values())
                if not takes:
                    self._renewing = None
                    return
            for taken in takes:
                with contextlib.suppress(K8sHelpersError):  # the server may be away for a while
                    now = self._lease(taken.namespace)
                    if now is not None and now.take == taken.take:
                        self._write(replace(now, renewed_wall_s=time.time()))

    # --- the API

    def _read(self, skipped: dict[str, str]) -> list[Holding]:
        """Return each namespace but those skipped; what we may not read is added to them."""
        names = [name for name in self.enrolment.namespaces if name not in skipped]
        if not names:
            return []
        with ThreadPoolExecutor(min(_AT_ONCE, len(names))) as workers:
            answers = list(workers.map(self._lease, names))
        for name, answer in zip(names, answers, strict=True):
            if answer is None:
                skipped[name] = _GONE
        return [answer for answer in answers if answer is not None]

    def _lease(self, namespace: str) -> Holding | None:
        """Return what a namespace's Lease says; None where we may not read it."""
        try:
            return leases.parse(namespace, self._api.find(_path(namespace, LEASE)))
        except ApiStatusError as error:
            if error.code == 403:
                return None
            raise

    def _unusable(self, namespace: str) -> str | None:
        """Return why a namespace cannot be used; None where it can."""
        try:
            there = self._api.find(f"/api/v1/namespaces/{namespace}")
        except ApiStatusError as error:
            if error.code != 403:
                raise
            there = None
        if there is None:
            return _GONE
        return _GONE if "deletionTimestamp" in there["metadata"] else None

    def _write(self, holding: Holding) -> Holding | None:
        """Write a Lease, and return it as it is then; None where it has changed since it was read."""
        lease = leases.render(holding)
        try:
            if holding.resource_version:
                path = _path(holding.namespace, LEASE)
                written = self._api.request("PUT", path, body=lease)
            else:
                written = self._api.request("POST", _path(holding.namespace), body=lease)
        except ApiStatusError as error:
            if error.code == 409 or (error.code == 404 and holding.resource_version):
                return None
            raise
        return leases.parse(holding.namespace, written)


def _path(namespace: str, name: str | None = None) -> str:
    base = f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases"
    return base if name is None else f"{base}/{name}"
