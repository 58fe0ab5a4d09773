"""Notices what spoils a wait or a measure from outside: its namespace deleted, the machine suspended, its clock set."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

from .._errors import ClusterUnreachableError, K8sHelpersError, SpoiledError
from .._french import duration
from ..kube.api import ApiSession, ApiStatusError, ClusterStoppedError

LOOK_S = 1.0
"""Between two looks at the namespace."""

UNKNOWN_IDENTITY = 401
"""HTTP status of who shows a token that counts no more."""

SUSPENDED_S = 5.0
"""A thread that wakes several times a second and is that late has not run meanwhile: no busy machine does that."""

JUMP_S = 1.5
"""Who sets a wall clock sets it by more; one that is only corrected drifts by 0.5 ms a second (`man 2 adjtimex`)."""

_SINCE_BOOT = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""Goes on while the machine sleeps: CLOCK_BOOTTIME on Linux, CLOCK_MONOTONIC on macOS (`man clock_gettime`)."""

_TICK_S = 0.25
_ANSWER_S = 5.0
_JOIN_S = 2.0


@dataclass(frozen=True)
class Instant:
    """One instant, on two clocks."""

    boot_s: float
    """Goes on evenly, whether the machine sleeps or not."""
    wall_s: float
    """What people and the cluster call the time."""


def now() -> Instant:
    """Return this instant."""
    return Instant(time.clock_gettime(_SINCE_BOOT), time.time())


class Sentinel:
    """Looks, in threads of its own and while a block runs, whether what the block stands on is still there.

    Parameters
    ----------
    api : ApiSession
        Of the cluster.
    namespace : str
        The namespace that must stay; "" where none must.
    measuring : bool
        What the block finds out has instants, which a suspended machine or a clock that jumps makes false.
    on_trouble : callable, optional
        Called, in another thread, as soon as there is trouble.

    Attributes
    ----------
    trouble : K8sHelpersError or None
        What was noticed first.
    suspended_s : float
        For how long the machine did not run meanwhile.
    """

    def __init__(
        self,
        api: ApiSession,
        namespace: str,
        *,
        measuring: bool,
        on_trouble: Callable[[], object] = lambda: None,
    ) -> None:
        self.trouble: K8sHelpersError | None = None
        self.suspended_s = 0.0
        self._api = api
        self._namespace = namespace
        self._measuring = measuring
        self._on_trouble = on_trouble
        self._uid: str | None = None
        self._last = now()
        self._lock = threading.Lock()
        self._closed = threading.Event()
        works = [self._watch_clocks, *([self._watch_namespace] if namespace else [])]
        self._threads = [threading.Thread(target=work, daemon=True) for work in works]

    def __enter__(self) -> Self:
        self._last = now()
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Look at the clocks for the last time, and no more; a second time does nothing."""
        if self._closed.is_set():
            return
        self._closed.set()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(_JOIN_S)
        self._look_at_clocks()

    def check(self) -> None:
        """Raise what was noticed; nothing while all is well.

        Raises
        ------
        SpoiledError
            The namespace was deleted; for a measure also: the machine was suspended, its clock was set.
        ClusterStoppedError
            The cluster was stopped.
        """
        if self.trouble is not None:
            raise self.trouble

    def look(self) -> None:
        """Look at the namespace now; raises as `check` does."""
        self._look_at_namespace()
        self.check()

    def _watch_clocks(self) -> None:
        while not self._closed.wait(_TICK_S):
            self._look_at_clocks()

    def _look_at_clocks(self) -> None:
        with self._lock:
            before, self._last = self._last, now()
            lost_s = _suspension_s(before, self._last, _TICK_S)
            jump_s = _jump_s(before, self._last)
        self.suspended_s += lost_s
        if not self._measuring:
            return
        if lost_s:
            self._note(suspended(self._namespace, lost_s))
        elif jump_s:
            self._note(clock_set(self._namespace, jump_s))

    def _watch_namespace(self) -> None:
        while self.trouble is None and not self._closed.wait(LOOK_S):
            try:
                self._look_at_namespace()
            except ApiStatusError as error:
                if error.code == UNKNOWN_IDENTITY:
                    self._note(access_ended(f"Travailler dans « {self._namespace} »"))
                return  # who may not look at namespaces goes without

    def _look_at_namespace(self) -> None:
        try:
            path = f"/api/v1/namespaces/{self._namespace}"
            metadata: dict[str, Any] = self._api.request("GET", path, timeout_s=_ANSWER_S)[
                "metadata"
            ]
        except ClusterStoppedError as error:
            self._note(error)
        except ClusterUnreachableError:
            pass  # it may come back: whoever waits decides for how long
        except ApiStatusError as error:
            if error.code == 404:
                self._note(deleted(self._namespace))
            elif error.code < 500 and error.code != 429:
                raise
        else:
            self._uid = self._uid or metadata["uid"]
            if "deletionTimestamp" in metadata or metadata["uid"] != self._uid:
                self._note(deleted(self._namespace))

    def _note(self, error: K8sHelpersError) -> None:
        if self.trouble is None and not (
            self._closed.is_set() and not isinstance(error, SpoiledError)
        ):
            self.trouble = error
            self._on_trouble()


def deleted(namespace: str) -> SpoiledError:
    """Return the error that says that a namespace went while it was needed."""
    return SpoiledError(
        f"Travailler dans l’espace de noms « {namespace} »",
        "il a été supprimé entre-temps (par « kubectl delete namespace », ou par un autre notebook)",
        "Relancez la cellule : elle en refait un. D’ici la fin, laissez-le vivre.",
    )


def access_ended(tried: str) -> SpoiledError:
    """Return the error that says that the cluster does not know the student any more, in the middle of the work.

    Parameters
    ----------
    tried : str
        In French, the work.
    """
    return SpoiledError(
        tried,
        "le cluster ne reconnaît plus votre identité : votre jeton a pris fin entre-temps, ou votre enseignant l’a "
        "retiré. Ce qui était en cours est perdu : rien n’en est gardé ni dessiné",
        "Demandez un nouveau kubeconfig (l’enseignant : « k8s-lab class renew »), puis reconnectez-vous : "
        'connect("existing", kubeconfig="…"). Ce qui est resté dans l’espace de noms sera rangé alors.',
    )


def suspended(namespace: str, lost_s: float) -> SpoiledError:
    """Return the error that says that the machine did not run during a measure."""
    return SpoiledError(
        f"Mesurer dans l’espace de noms « {namespace} »",
        f"la machine a été suspendue pendant {duration(lost_s)} (ordinateur fermé, ou programmes gelés) : la mesure "
        "est faussée, elle n’est ni gardée ni dessinée",
        "Relancez la cellule, et laissez l’ordinateur ouvert jusqu’à la fin.",
    )


def clock_set(namespace: str, jump_s: float) -> SpoiledError:
    """Return the error that says that the machine's clock was set during a measure."""
    way = "avancé" if jump_s > 0 else "reculé"
    return SpoiledError(
        f"Mesurer dans l’espace de noms « {namespace} »",
        f"l’horloge de la machine a {way} d’un coup de {duration(abs(jump_s))} : la mesure, qui la compare aux heures "
        "que note le cluster, est faussée ; elle n’est ni gardée ni dessinée",
        "Relancez la cellule.",
    )


def _suspension_s(before: Instant, after: Instant, planned_s: float) -> float:
    """Return for how long a thread did not run that wanted to sleep for `planned_s`; 0 where it only was a bit late."""
    late_s = after.boot_s - before.boot_s - planned_s
    return late_s if late_s > SUSPENDED_S else 0.0


def _jump_s(before: Instant, after: Instant) -> float:
    """Return by how much the wall clock was set between two instants, in seconds; 0 where it was not."""
    shift_s = (after.wall_s - before.wall_s) - (after.boot_s - before.boot_s)
    return shift_s if abs(shift_s) > JUMP_S else 0.0
