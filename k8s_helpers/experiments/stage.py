"""What every experiment plays on: a namespace, a recorder, traffic, and waits during which charts are drawn."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from itertools import takewhile
from typing import Any

from .._errors import WaitTimeoutError
from .._french import number
from ..cluster import Namespace, ServiceAddress
from ..cluster.sentinel import LOOK_S, Sentinel
from ..load import Traffic
from ..recorder import Recorder
from ..recording import Request, Run
from .http import get

ROLLOUT_TIMEOUT_S = 180.0
ANSWER_TIMEOUT_S = 30.0

_TICK_S = 0.02
_ASK_AGAIN_S = 0.05
_ANSWER_S = 1.0
_STEADY_S = 0.5
"""A row of good requests is taken for the end of a disturbance when it spans this."""


def part_of(
    whole: Run,
    owned: Callable[[str], bool],
    service: str,
    requests: Sequence[Request],
    end_s: float,
) -> Run:
    """Return what a run tells of one workload among several, up to an instant.

    Parameters
    ----------
    whole : Run
        Of all of them.
    owned : callable
        Whether a pod is of this workload, by its name.
    service : str
        Its Service.
    requests : sequence of Request
        Of its own traffic.
    end_s : float
        The instant.
    """
    return replace(
        whole,
        ended_s=end_s,
        requests=tuple(requests),
        pods=tuple(one for one in whole.pods if owned(one.pod) and one.at_s <= end_s),
        endpoints=tuple(
            one for one in whole.endpoints if one.service == service and one.at_s <= end_s
        ),
        events=tuple(
            one
            for one in whole.events
            if one.kind == "Pod" and owned(one.name) and one.at_s <= end_s
        ),
    )


class Stage:
    """What the acts of an experiment work on.

    Parameters
    ----------
    namespace : Namespace
        The run's own.
    step : callable
        Told each step, in French.
    parameters : mapping, optional
        What the run is made with (plain JSON values); acts add theirs.

    Attributes
    ----------
    namespace, parameters
        As above.
    """

    def __init__(
        self,
        namespace: Namespace,
        step: Callable[[str], None],
        parameters: Mapping[str, Any] | None = None,
    ) -> None:
        self.namespace = namespace
        self.step = step
        self.parameters: dict[str, Any] = dict(parameters or {})
        self._recorder: Recorder | None = None
        self._traffic: Traffic | None = None
        self._draw: Callable[[], None] = lambda: None

    def record(
        self,
        recorder: Recorder,
        traffic: Traffic | None = None,
        draw: Callable[[], None] = lambda: None,
    ) -> None:
        """From now on marks are recorded, waits look at this traffic, and `draw` is called during them."""
        self._recorder, self._traffic, self._draw = recorder, traffic, draw

    def mark(self, kind: str, detail: str = "", at_s: float | None = None) -> float:
        """Note what is done now, or was done at an instant of the run's clock; return that instant."""
        assert self._recorder is not None
        return self._recorder.mark(kind, detail, at_s).at_s

    def attempt(self, who: str, what: str, ok: bool, answer: str, detail: str = "") -> None:
        """Note what came of something that was tried; see `Attempt` in `recording`."""
        assert self._recorder is not None
        self._recorder.attempt(who, what, ok, answer, detail)

    # --- waits

    def pause(self, seconds: float) -> None:
        """Let time pass."""
        end_s = time.monotonic() + seconds
        self.until(lambda: time.monotonic() >= end_s)

    def until(
        self, over: Callable[[], object], timeout_s: float | None = None, wish: str = ""
    ) -> None:
        """Wait until `over()` is true, drawing meanwhile.

        Raises
        ------
        WaitTimeoutError
            It is not after `timeout_s` seconds; `wish` says in French what was waited for.
        SpoiledError
            The namespace was deleted, the machine suspended.
        """
        end_s = None if timeout_s is None else time.monotonic() + timeout_s
        with ExitStack() as looking:
            self._until(over, end_s, timeout_s, wish, looking)

    def _until(
        self,
        over: Callable[[], object],
        end_s: float | None,
        timeout_s: float | None,
        wish: str,
        looking: ExitStack,
    ) -> None:
        sentinel: Sentinel | None = None
        due_s = time.monotonic() + LOOK_S
        while not over():
            if end_s is not None and time.monotonic() > end_s:
                raise WaitTimeoutError(
                    f"Attendre dans « {self.namespace.name} » : {wish or 'la suite de l’expérience'}",
                    f"ce n’est pas arrivé en {number(timeout_s or 0.0)} s",
                    "Regardez « kubectl get pods,events » dans cet espace de noms, puis relancez la mesure.",
                )
            if self._recorder is not None:
                self._recorder.check()
            elif sentinel is not None:
                sentinel.check()
            elif time.monotonic() > due_s:
                sentinel = looking.enter_context(self.namespace.sentinel())
            self._draw()
            time.sleep(_TICK_S)

    def in_background(self, work: Callable[[], object]) -> None:
        """Wait for a call that blocks, so that charts go on and Ctrl-C is heard; raises what it raises."""
        waiting = Background(work)
        self.until(waiting.over)
        waiting.result()

    def wait_rollout(self, name: str, kind: str = "deployment") -> None:
        """Wait until a Deployment (or a StatefulSet) is wholly rolled out, as `kubectl rollout status` does.

        Raises
        ------
        WaitTimeoutError
            Says what its pods complain of.
        """
        self.in_background(lambda: self.namespace.wait_rollout(name, ROLLOUT_TIMEOUT_S, kind))

    def wait_answers(self, timeout_s: float = ANSWER_TIMEOUT_S) -> None:
        """Wait until no request is lost any more."""
        self.await_row(lambda one: True, "plus aucune requête perdue", timeout_s)

    def ready_address(self, service: str, timeout_s: float = ANSWER_TIMEOUT_S) -> ServiceAddress:
        """Return a Service's address once each pod behind it answers.

        A pod without readiness probe is "ready" before it listens: requests tell.

        Raises
        ------
        WaitTimeoutError
            No row of good answers after `timeout_s` seconds; says the last that was not.
        """
        address = self.namespace.service_url(service)
        self.in_background(lambda: _wait_steady(address, timeout_s))
        return address

    def await_row(
        self, good: Callable[[Request], bool], words: str, timeout_s: float = ANSWER_TIMEOUT_S
    ) -> float:
        """Wait for a row of good requests that left after this call; return when the first of them was answered.

        Raises
        ------
        WaitTimeoutError
            There is none after `timeout_s` seconds; `words` says in French what good means.
        """
        assert self._traffic is not None
        before = len(self._traffic.requests)
        end_s = time.monotonic() + timeout_s
        row: list[Request] = []

        def over() -> bool:
            row[:] = _last_row(self._requests()[before:], good)
            return bool(row) and row[-1].planned_s - row[0].planned_s >= _STEADY_S

        self.until(lambda: over() or time.monotonic() > end_s)
        if not over():
            lost = Counter(str(one.error) for one in self._requests()[before:] if not one.ok)
            raise WaitTimeoutError(
                f"Attendre que les clients aient leur réponse ({words})",
                f"ce n’est pas le cas après {number(timeout_s)} s (échecs : {dict(lost) or 'aucun'})",
                "Regardez « kubectl get pods » et les journaux du programme, puis relancez la mesure.",
            )
        return row[0].answered_s

    def _requests(self) -> tuple[Request, ...]:
        assert self._traffic is not None
        return self._traffic.requests


def _wait_steady(address: ServiceAddress, timeout_s: float) -> None:
    """Wait for a row of good answers, each on a connection of its own: each may come from another pod."""
    began_s = time.monotonic()
    good_s: float | None = None
    bad = "aucune réponse"
    while (now_s := time.monotonic()) < began_s + timeout_s:
        answer = get(address, timeout_s=_ANSWER_S)
        if not 200 <= answer.status < 400:
            good_s, bad = None, f"HTTP {answer.status}" if answer.status else answer.body
        elif good_s is None:
            good_s = now_s
        elif time.monotonic() >= good_s + _STEADY_S:
            return
        time.sleep(max(0.0, now_s + _ASK_AGAIN_S - time.monotonic()))
    raise WaitTimeoutError(
        f"Attendre que {address.url} réponde sans échec",
        f"ce n’est pas le cas après {number(timeout_s)} s (dernier échec : {bad})",
        "Regardez « kubectl get pods » et les journaux du programme, puis relancez la mesure.",
    )


def _last_row(requests: Sequence[Request], good: Callable[[Request], bool]) -> list[Request]:
    """Return the good requests since the last one that was not."""
    row = list(takewhile(lambda one: one.ok and good(one), reversed(requests)))
    return row[::-1]


class Background:
    """A wait in a thread of its own."""

    def __init__(self, work: Callable[[], object]) -> None:
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, args=(work,), daemon=True)
        self._thread.start()

    def over(self) -> bool:
        """Whether it has ended."""
        return not self._thread.is_alive()

    def join(self) -> None:
        """Wait for its end."""
        self._thread.join()

    def result(self) -> None:
        """Raise what it raised."""
        if self._error is not None:
            raise self._error

    def _run(self, work: Callable[[], object]) -> None:
        try:
            work()
        except Exception as error:  # raised again by `result`, in the caller's thread
            self._error = error
