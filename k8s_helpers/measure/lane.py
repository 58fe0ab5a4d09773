"""A lane of a measure: one run in a namespace of its own, with its recorder, its traffic and its bounded waits."""

from __future__ import annotations

import copy
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, replace
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from .._errors import WaitTimeoutError
from .._french import number
from ..cluster import Namespace, ServiceAddress
from ..cluster.conditions import ready
from ..cluster.sentinel import LOOK_S, Sentinel
from ..kube import manifests
from ..kube.http import get
from ..kube.waiting import wait_until
from .objects import Clock
from .recorder import Reading, Recorder
from .recording import Request, Run, Sample
from .traffic import Traffic, TrafficCutError, shortfall

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    from ..kube.api import ApiStatusError
    from .measure import Measure

ROLLOUT_TIMEOUT_S = 180.0
ANSWER_TIMEOUT_S = 30.0
APP = "vitrine"

_TICK_S = 0.02
_ASK_AGAIN_S = 0.05
_ANSWER_S = 1.0
_STEADY_S = 0.5
"""A row of good requests is taken for the end of a disturbance when it spans this."""

Change = Callable[[dict[str, Any]], None]
"""What fits an object of the course to a run, in place."""


class Lane:
    """One run of a measure.

    Made by `Measure.lane`, which opens its namespace and deletes it whatever happens.

    Parameters
    ----------
    measure : Measure
        Whose run it is.
    namespace : Namespace
        The lane's own.
    name : str
        The run's name in the recording.
    title : str
        In French, before each step that is reported.
    parameters : mapping, optional
        What the run is made with (plain JSON values); what happens in the lane adds to it.

    Attributes
    ----------
    measure, namespace, name, title, parameters
        As above.
    stopped_components : set of str
        Components of the cluster that the lane itself stops: they are no incidents.
    share : float
        How much of it is done, 0 to 1, for the progress of lanes that go on at the same time.
    """

    def __init__(
        self,
        measure: Measure,
        namespace: Namespace,
        name: str,
        title: str,
        parameters: Mapping[str, Any] | None = None,
    ) -> None:
        self.measure = measure
        self.namespace = namespace
        self.name = name
        self.title = title
        self.parameters: dict[str, Any] = dict(parameters or {})
        self.stopped_components: set[str] = set()
        self.share = 0.0
        self._complete: Callable[[Run], Run] | None = None
        self._recorder: Recorder | None = None
        self._traffic: Traffic | None = None

    # --- what is done

    def step(self, text: str) -> None:
        """Report a step, in French."""
        self.measure.report(f"{self.title} : {text}")

    def apply(self, manifest: str, change: Change | None = None) -> list[dict[str, Any]]:
        """Apply one of the course's manifests with the images of this cluster, its objects fitted by `change`."""
        return self.namespace.apply(self._fitted(manifest, change))

    def read(self, manifest: str, change: Change | None = None) -> list[dict[str, Any]]:
        """Return the objects of one of the course's manifests, as `apply` applies them."""
        return [document.object for document in self._fitted(manifest, change)]

    def _fitted(self, manifest: str, change: Change | None) -> list[manifests.Manifest]:
        """Read a manifest, once: its objects keep the lines that they come from, for what the server refuses."""
        return [
            replace(document, object=fit(document.object, self.measure.images, change))
            for document in manifests.read(self.measure.folder / manifest)
        ]

    def deploy(self, *files: str, change: Change | None = None) -> list[dict[str, Any]]:
        """Apply manifests, wait until their Deployments are wholly rolled out, and return their objects."""
        self.step("déploiement")
        applied = [plain for file in files for plain in self.apply(file, change)]
        for plain in applied:
            if plain["kind"] == "Deployment":
                self.wait_rollout(plain["metadata"]["name"])
        return applied

    def image(self, version: str, app: str = APP) -> str:
        """Return the reference of an app's image of a version in this cluster."""
        return self.measure.images[f"{app}:{version}"]

    def pods(self, selector: str = f"app={APP}") -> list[dict[str, Any]]:
        """Return the pods that carry labels, oldest first, without those that are told to end."""
        alive = (
            pod
            for pod in self.namespace.list("pods", selector)
            if "deletionTimestamp" not in pod["metadata"]
        )
        return sorted(
            alive, key=lambda pod: (pod["metadata"]["creationTimestamp"], pod["metadata"]["name"])
        )

    # --- what is recorded

    @property
    def clock(self) -> Clock:
        """The run's clock."""
        assert self._recorder is not None
        return self._recorder.clock

    @contextmanager
    def recorded(
        self,
        service: str | None = None,
        rate_per_s: float = 0.0,
        *,
        path: str = "",
        keep_alive: bool = False,
        events: bool = False,
        sample: Callable[[], Iterable[Reading]] | None = None,
        sample_period_s: float = 1.0,
        answer_timeout_s: float = ANSWER_TIMEOUT_S,
    ) -> Iterator[Recorder]:
        """Record what happens meanwhile, under traffic on a Service where one is named; the run joins the measure.

        Requests ask for `path`, without its first slash.
        What is added to `parameters` meanwhile is part of it.
        """
        traffic: Traffic | None = None
        if service is not None:
            self.step("attente des réponses")
            self.parameters["rate_per_s"] = rate_per_s
            address = self.ready_address(service, answer_timeout_s)
            if path:
                address = address.at(path)
            traffic = Traffic(address, rate_per_s=rate_per_s, keep_alive=keep_alive)
        with self.recording(
            traffic, events=events, sample=sample, sample_period_s=sample_period_s
        ) as recorder:
            yield recorder

    @contextmanager
    def recording(
        self,
        traffic: Traffic | None = None,
        *,
        events: bool = False,
        sample: Callable[[], Iterable[Reading]] | None = None,
        sample_period_s: float = 1.0,
        complete: Callable[[Run], Run] | None = None,
    ) -> Iterator[Recorder]:
        """Record as `recorded` does, under traffic that the caller has made and that was not started yet.

        `complete` adds to the run what was learnt elsewhere, as from a program's log, each time the run is looked at.
        """
        with ExitStack() as measuring:
            if traffic is not None:
                measuring.enter_context(traffic)
            recorder = Recorder(
                self.measure.cluster,
                self.namespace,
                self.name,
                zero_monotonic_s=traffic.zero_monotonic_s if traffic else None,
                events=events,
                sample=sample,
                sample_period_s=sample_period_s,
            )
            self._recorder, self._traffic, self._complete = recorder, traffic, complete
            measuring.enter_context(recorder)
            self.measure.follow(self)
            try:
                yield recorder
            except BaseException:
                self.measure.forget(self)
                raise
            try:
                measuring.close()
            except TrafficCutError:
                if not self._requests():
                    raise
                # What it told until then counts, and the run has the incident.
            self._tell_shortfall()
            self.measure.join(self)

    def _tell_shortfall(self) -> None:
        """Say that the load was not the one that was planned, where it was not."""
        if self._traffic is not None and self._recorder is not None:
            lasted_s, made = self._recorder.now_s, self._traffic.effort
            if words := shortfall(made, self._traffic.parameters, lasted_s):
                self.step(words)

    def run(self) -> Run:
        """Return what is recorded so far."""
        assert self._recorder is not None
        traffic = self._traffic
        run = self._recorder.run(traffic.requests if traffic else ())
        incidents = tuple(
            incident
            for incident in run.incidents
            if incident.component not in self.stopped_components
        )
        if traffic is not None:
            incidents += traffic.incidents
        parameters = self.parameters | (traffic.parameters if traffic else {})
        run = replace(run, parameters=parameters, incidents=incidents)
        return run if self._complete is None else self._complete(run)

    def mark(self, kind: str, detail: str = "", at_s: float | None = None) -> float:
        """Note what is done now, or was done at an instant of the run's clock; return that instant."""
        assert self._recorder is not None
        return self._recorder.mark(kind, detail, at_s).at_s

    def note(self, kind: str, facts: DataclassInstance, at_s: float | None = None) -> None:
        """Note what is seen now as a mark that holds a dataclass's fields; `analysis.facts` gives them back."""
        assert self._recorder is not None
        self._recorder.mark(kind, at_s=at_s, facts=asdict(facts))

    def attempt(self, who: str, what: str, ok: bool, answer: str, detail: str = "") -> None:
        """Note what came of something that was tried; see `Attempt` in `recording`."""
        assert self._recorder is not None
        self._recorder.attempt(who, what, ok, answer, detail)

    def note_samples(self, samples: Iterable[Sample]) -> None:
        """Add values that have instants of their own, as a program's log gives them."""
        assert self._recorder is not None
        self._recorder.note_samples(samples)

    def refused(self, who: str, what: str, error: ApiStatusError) -> None:
        """Note what the API refused: with which HTTP status, in which words."""
        message = str(error.status.get("message", ""))
        self.attempt(who, what, False, str(error.code), message)

    # --- waits

    def pause(self, seconds: float) -> None:
        """Let time pass."""
        end_s = time.monotonic() + seconds
        self.until(lambda: time.monotonic() >= end_s)

    def until(
        self, over: Callable[[], object], timeout_s: float | None = None, wish: str = ""
    ) -> None:
        """Wait until `over()` is true; meanwhile who listens to the measure is told, and a cancelled lane leaves.

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
            self.measure.tick()
            time.sleep(_TICK_S)

    def in_background(self, work: Callable[[], object]) -> None:
        """Wait for a call that blocks, so that listeners and Ctrl-C are heard; raises what it raises."""
        waiting = Background(work)
        self.until(waiting.over)
        waiting.result()

    def wait_rollout(
        self, name: str, kind: str = "deployment", timeout_s: float | None = None
    ) -> None:
        """Wait until a Deployment (or a StatefulSet) is wholly rolled out, as `kubectl rollout status` does.

        At most `timeout_s` seconds, `ROLLOUT_TIMEOUT_S` by default.

        Raises
        ------
        WaitTimeoutError
            Says what its pods complain of.
        """
        limit_s = ROLLOUT_TIMEOUT_S if timeout_s is None else timeout_s
        self.in_background(lambda: self.namespace.wait_rollout(name, limit_s, kind))

    def wait_pods(
        self, count: int, selector: str = f"app={APP}", timeout_s: float = ROLLOUT_TIMEOUT_S
    ) -> None:
        """Wait until exactly that many pods carry the labels and all are ready; those that end are not counted.

        Unlike a Deployment's status this is true where the controllers sleep.

        Raises
        ------
        WaitTimeoutError
            It does not come to that.
        """

        def late(pods: list[dict[str, Any]]) -> WaitTimeoutError:
            names = ", ".join(pod["metadata"]["name"] for pod in pods if not ready(pod))
            return WaitTimeoutError(
                f"Attendre {count} pods prêts dans « {self.namespace.name} »",
                f"il y en a {len(pods)} ; pas prêts : {names or 'aucun'}",
                "Regardez « kubectl get pods,events », puis relancez la mesure.",
            )

        def complete(pods: list[dict[str, Any]]) -> bool:
            return len(pods) == count and all(map(ready, pods))

        self.in_background(
            lambda: wait_until(lambda: self.pods(selector), timeout_s, late, done=complete)
        )

    def wait_answers(self, timeout_s: float = ANSWER_TIMEOUT_S) -> None:
        """Wait until no request is lost any more."""
        self.await_row(lambda request: True, "plus aucune requête perdue", timeout_s)

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
            assert self._traffic is not None
            self._traffic.check()
            row[:] = _last_row(self._requests()[before:], good)
            return bool(row) and row[-1].planned_s - row[0].planned_s >= _STEADY_S

        self.until(lambda: over() or time.monotonic() > end_s)
        if not over():
            lost = Counter(
                str(request.error) for request in self._requests()[before:] if not request.ok
            )
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
    good_s: float | None = None
    bad = "aucune réponse"

    def steady() -> bool:
        nonlocal good_s, bad
        asked_s = time.monotonic()
        answer = get(address, timeout_s=_ANSWER_S)
        if not answer:
            good_s, bad = None, f"HTTP {answer.status}" if answer.status else answer.body
            return False
        good_s = good_s or asked_s
        return time.monotonic() >= good_s + _STEADY_S

    wait_until(
        steady,
        timeout_s,
        lambda _: WaitTimeoutError(
            f"Attendre que {address.url} réponde sans échec",
            f"ce n’est pas le cas après {number(timeout_s)} s (dernier échec : {bad})",
            "Regardez « kubectl get pods » et les journaux du programme, puis relancez la mesure.",
        ),
        every_s=_ASK_AGAIN_S,
    )


def _last_row(requests: Sequence[Request], good: Callable[[Request], bool]) -> list[Request]:
    """Return the good requests since the last one that was not."""
    row = list(takewhile(lambda request: request.ok and good(request), reversed(requests)))
    return row[::-1]


class Background:
    """A call in a thread of its own."""

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


def fit(
    plain: Mapping[str, Any], images: Mapping[str, str], change: Change | None = None
) -> dict[str, Any]:
    """Return an object with the images of a cluster in the place of those that its manifest names, then changed."""
    fitted: dict[str, Any] = copy.deepcopy(dict(plain))
    pod = fitted if fitted["kind"] == "Pod" else fitted.get("spec", {}).get("template", {})
    for container in pod.get("spec", {}).get("containers", ()):
        container["image"] = images.get(container["image"], container["image"])
    if change is not None:
        change(fitted)
    return fitted


def with_replicas(replicas: int) -> Change:
    """Return what gives Deployments that many replicas."""

    def change(plain: dict[str, Any]) -> None:
        if plain["kind"] == "Deployment":
            plain["spec"]["replicas"] = replicas

    return change


def resources_of(container: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Return a container's requests and limits as they are written, empty where it has none."""
    resources = container.get("resources") or {}
    return {kind: dict(resources.get(kind) or {}) for kind in ("requests", "limits")}
