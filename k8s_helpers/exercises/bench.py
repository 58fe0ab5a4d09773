"""The bench on which an answer is tried: a namespace of its own, a real update, traffic, and a time limit."""

from __future__ import annotations

import contextlib
import copy
import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from .._errors import WaitTimeoutError
from .._load import slowness
from .._progress import Progress
from ..builds import images
from ..cluster import Cluster, Namespace, admission
from ..cluster.conditions import unschedulable
from ..cluster.rollouts import replica_sets
from ..cluster.sentinel import Sentinel
from ..kube.api import ApiSession, ApiStatusError
from ..kube.classes import label_selector
from ..kube.http import Answer, get
from ..kube.manifests import Manifest, parse
from ..kube.refusals import ignoring
from ..kube.waiting import wait_until
from ..measure import traffic
from ..measure.recorder import Recorder
from ..measure.recording import Run
from .catalogue import Exercise
from .guard import RefusedAnswerError
from .objects import WITH_PODS, Objects, container_has_ended, container_statuses, containers

Seen = TypeVar("Seen")

BEFORE_S = 2.0
"""Traffic before the first act and after the last one."""

_STEADY_ANSWERS = 12
"""A Service has settled when that many connections in a row are answered: with three pods behind it, one that does
not answer would be met with a probability of 99 %."""

_ANSWERS_S = 30.0
"""Longest wait for that; the app starts in three."""

_ANSWER_S = 3.0
"""Longest wait for one answer."""

_UNTOUCHED_S = 1.0
"""Longest wait for a change where nobody has changed anything."""

_BEHIND_S = 20.0
"""Longest wait for the endpoints of pods that a Service does choose: only their controller takes its time."""

_LAUNCH_S = 20.0
"""Longest wait for a first container: its image is there already."""

_AT_ONCE_S = 1.0
"""A program that finds nothing of its own ends sooner."""

_QUOTA_EXTRA_PODS = 4
"""A pod on its way out counts too: the quota leaves room for some."""

_AGAIN_S = 0.3
"""Between what was not answered and the next try."""

_RETRY_S = 3.0
"""The scheduler tries a pod again a second or two after another made room."""

_WITNESS = "temoin-des-droits"
"""Name of the account that a wait gives a right to, and of its Role and RoleBinding."""

_RIGHTS_S = 20.0
"""Longest wait for rights that are written to count."""
_REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
_GROUP = "rbac.authorization.k8s.io"
_WITNESS_RIGHT = (
    {
        "apiVersion": f"{_GROUP}/v1",
        "kind": "Role",
        "metadata": {"name": _WITNESS},
        "rules": [{"apiGroups": [""], "resources": ["limitranges"], "verbs": ["list"]}],
    },
    {
        "apiVersion": f"{_GROUP}/v1",
        "kind": "RoleBinding",
        "metadata": {"name": _WITNESS},
        "subjects": [{"kind": "ServiceAccount", "name": _WITNESS}],
        "roleRef": {"apiGroup": _GROUP, "kind": "Role", "name": _WITNESS},
    },
)
"""A right that no exercise gives to anybody."""


class Bench:
    """What a check acts on.

    Parameters
    ----------
    cluster : Cluster
        The cluster in use.
    namespace : Namespace
        The exercise's own; exists already.
    exercise : Exercise
        Which one.
    manifests : mapping of str to manifests
        The student's, by step; empty where the state of the namespace is judged.
    progress : Progress
        Shows each act.

    Attributes
    ----------
    cluster, namespace, progress
        As given.
    answer : mapping of str to objects
        The student's objects, by step.
    sentinel : Sentinel or None
        Asked during every wait.
    untouched : bool
        Nobody has changed anything in the namespace since the exercise began: what is waited for will not come.
    """

    def __init__(
        self,
        cluster: Cluster,
        namespace: Namespace,
        exercise: Exercise,
        manifests: Mapping[str, tuple[Manifest, ...]],
        progress: Progress,
    ) -> None:
        self.namespace = namespace
        self._manifests = [manifest for step in manifests.values() for manifest in step]
        self.answer: Mapping[str, Objects] = {
            step: tuple(copy.deepcopy(manifest.object) for manifest in given)
            for step, given in manifests.items()
        }
        self.progress = progress
        self.cluster = cluster
        self._exercise = exercise
        self.sentinel: Sentinel | None = None
        self.untouched = False
        self._end_s = time.monotonic() + exercise.timeout_s
        self._images: dict[str, str] = {}

    @property
    def remaining_s(self) -> float:
        """Seconds left for the check.

        Raises
        ------
        WaitTimeoutError, SpoiledError
            None is left; or none is worth waiting for (see `Sentinel`).
        """
        if self.sentinel is not None:
            self.sentinel.check()
        left_s = self._end_s - time.monotonic()
        if left_s <= 0:
            raise WaitTimeoutError(
                f"Essayer votre réponse à « {self._exercise.title} »",
                f"ce n’est pas fini après {self._exercise.timeout_s:.0f} s",
                "Cherchez ce qui n’arrive jamais : une sonde qui échoue toujours, un arrêt qui n’en finit pas.",
            )
        return left_s

    @property
    def values(self) -> Mapping[str, str]:
        """What was drawn for the student, by parameter."""
        return self._exercise.values

    def limit(self) -> None:
        """Make the namespace refuse more pods than the exercise needs, whatever the manifests ask for.

        Until the quota's controller has counted what is there, admission refuses everything that counts: that is
        waited for. In a class whose students may write no quota, the class's own has to do.
        """
        pods = self._exercise.max_pods + _QUOTA_EXTRA_PODS
        quota = {
            "apiVersion": "v1",
            "kind": "ResourceQuota",
            "metadata": {"name": "limite-de-l-exercice"},
            "spec": {"hard": {"pods": str(pods), "count/services": "4"}},
        }
        try:
            self.namespace.apply(quota)
        except ApiStatusError as error:
            if error.code != 403 or self.cluster.provider.enrolment is None:
                raise
            return
        self.wait_counted("limite-de-l-exercice")

    def wait_counted(self, quota: str) -> None:
        """Wait until a quota is enforced: its controller has counted what is there, and admission knows of it."""
        counted = self.namespace.wait("quota", quota, _counted, self.remaining_s)
        admission.wait_quota(self.cluster.api, self.namespace.name, counted)

    def given(self, name: str) -> Objects:
        """Return the objects of a file of the exercise's own folder."""
        return tuple(
            manifest.object for manifest in parse(self._exercise.text(self._exercise.folder / name))
        )

    def apply(
        self, objects: Objects, *, version: str | None = None, env: Mapping[str, str] | None = None
    ) -> None:
        """Apply objects; return at once.

        Parameters
        ----------
        objects : tuple of dict
            The student's or the exercise's.
        version : str, optional
            Version of its app that every pod shall run, instead of the one written.
        env : mapping, optional
            Variables that the app gets whatever the manifest says: what the exercise is about must stay.
        """
        for item in objects:
            changed = copy.deepcopy(item)
            if changed["kind"] in WITH_PODS:
                for container in containers(changed):
                    self._fit(container, version, env or {})
            elif (
                changed["kind"] == "Service"
                and _has_address(changed.get("spec"))
                and not self._exercise.workspace  # a student looks at it
            ):
                changed["spec"]["type"] = "NodePort"
            self.namespace.apply(replace(self._written(item), object=changed))

    def _written(self, item: dict[str, Any]) -> Manifest:
        """Return an object with its lines, where it is as the student wrote it."""
        written = (manifest for manifest in self._manifests if manifest.object == item)
        return next(written, Manifest(item, "le manifeste"))

    def image(self, tag: str) -> str:
        """Return what the cluster calls an image of the course ("vitrine:v1"), built at the first call."""
        if tag not in self._images:
            app, _, version = tag.rpartition(":")
            self._images[tag] = images.ensure(self.cluster, app, version, self.progress)
        return self._images[tag]

    def typed(self, tag: str) -> str:
        """Return what a student types on this cluster for an image of the course ("vitrine:v1")."""
        return self.cluster.provider.image_names.typed(tag)

    def tag(self, reference: str) -> str:
        """Return the short name of an image, whichever way this cluster writes it."""
        return self.cluster.provider.image_names.tag(reference)

    def _fit(self, container: dict[str, Any], version: str | None, env: Mapping[str, str]) -> None:
        names, written = self.cluster.provider.image_names, container["image"]
        if self._exercise.workspace and written not in self._exercise.image_tags:
            container["image"] = names.typed(written)
            return  # one that is not there on purpose
        app, _, written_version = written.rpartition(":")
        tag = f"{app}:{version or written_version}"
        reference = self.image(tag)
        container["image"] = names.typed(tag) if self._exercise.workspace else reference
        listed = container.get("env") or []
        if env and isinstance(listed, list):
            kept = [
                variable
                for variable in listed
                if not isinstance(variable, dict) or variable.get("name") not in env
            ]
            container["env"] = kept + [
                {"name": name, "value": value} for name, value in env.items()
            ]

    def wait_settled(self) -> None:
        """Wait until every rollout is over and every pod on its way out is gone.

        Raises
        ------
        WaitTimeoutError
            Says what the pods complain of.
        """
        for kind in ("deployment", "statefulset"):
            for workload in self.namespace.list(kind):
                self.namespace.wait_rollout(workload["metadata"]["name"], self.remaining_s, kind)
        self.until(
            lambda: (
                not any(
                    "deletionTimestamp" in pod["metadata"] for pod in self.namespace.list("pod")
                )
            )
        )

    def wait_answers(self, service: str) -> None:
        """Wait until a Service answers each new connection.

        Raises
        ------
        RefusedAnswerError
            The answer has no such Service.
        WaitTimeoutError
            It does not within `_ANSWERS_S`.
        """
        services = [item["metadata"]["name"] for item in self.namespace.list("service")]
        if service not in services:
            have = f"vous avez {', '.join(services)}" if services else "vous n’en avez aucun"
            raise RefusedAnswerError(
                "incomplet", f"l’exercice s’adresse au Service « {service} », et {have}."
            )
        address = self.namespace.service_url(service, timeout_s=0)

        def steady() -> bool:
            answers = (
                get(address, "/api/info", timeout_s=min(2.0, self.remaining_s))
                for _ in range(_STEADY_ANSWERS)
            )
            return all(answers)

        if not self.until(steady, _ANSWERS_S):
            raise _unanswered(service)

    def ask(self, service: str, count: int = 1, path: str = "/api/info") -> tuple[Answer, ...]:
        """Return the answers of a Service of any type to requests of now, each on a connection of its own.

        Raises
        ------
        ApiStatusError
            There is no such Service (404).
        """
        address = self.namespace.service_url(service, timeout_s=0)
        return tuple(
            get(address, path, timeout_s=min(_ANSWER_S, self.remaining_s)) for _ in range(count)
        )

    def account(self, name: str) -> ApiSession:
        """Return a session that acts as a ServiceAccount of the exercise's namespace."""
        return self.cluster.api.acting_as(f"system:serviceaccount:{self.namespace.name}:{name}")

    def may(self, account: str, verb: str, resource: str, name: str = "", group: str = "") -> bool:
        """Return whether a ServiceAccount of the namespace is allowed something there, as `kubectl auth can-i` asks.

        Parameters
        ----------
        resource : str
            In the plural, with its subresource where one is meant: "serviceaccounts/token".
        name : str
            One object; "" for any.
        """
        resource, _, subresource = resource.partition("/")
        attributes = {
            "namespace": self.namespace.name,
            "verb": verb,
            "group": group,
            "resource": resource,
            "subresource": subresource,
            "name": name,
        }
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": attributes},
        }
        answer = self.account(account).request("POST", _REVIEWS, body=review)
        return bool(answer["status"]["allowed"])

    def wait_rights(self) -> None:
        """Wait until the API server goes by every Role and RoleBinding of the namespace written so far.

        It follows each kind by a watch, which tells in the order of writing: where it goes by a pair written last, it
        goes by all. What is refused from then on is not late: it is not allowed. Where it does not within `_RIGHTS_S`,
        that is no error: what is asked for next will show it.
        """
        self.namespace.apply(_WITNESS_RIGHT)
        witness = self.account(_WITNESS)

        def allowed() -> bool:
            with ignoring(403):
                witness.request("GET", self.namespace.path("limitrange"))
                return True
            return False

        self.until(allowed, _RIGHTS_S, every_s=0.1)
        for kind in ("rolebinding", "role"):
            self.namespace.delete_object(kind, _WITNESS)

    def read_as(self, account: str, kind: str, name: str | None = None) -> dict[str, Any]:
        """Return one object, or all of a kind, as a ServiceAccount is given it; `wait_rights` comes first.

        Raises
        ------
        ApiStatusError
            It is refused.
        """
        return self.account(account).request("GET", self.namespace.path(kind, name))

    def chosen(self, service: str) -> frozenset[str]:
        """Return the names of the pods that a Service's selector chooses, ready or not, on their way out or not."""
        selector = self.namespace.get("service", service)["spec"].get("selector") or {}
        pods = self.namespace.list("pod", label_selector(selector)) if selector else []
        return frozenset(pod["metadata"]["name"] for pod in pods)

    def behind(self, service: str) -> frozenset[str]:
        """Return the names of the ready pods behind a Service."""
        slices = self.namespace.list("endpointslices", f"kubernetes.io/service-name={service}")
        return frozenset(
            endpoint["targetRef"]["name"]
            for endpoint_slice in slices
            for endpoint in endpoint_slice.get("endpoints") or ()
            if endpoint["conditions"].get("ready")
        )

    def current_pods(self, deployment: str) -> list[dict[str, Any]]:
        """Return the pods of a Deployment's newest ReplicaSet, but those on their way out: what it asks for now."""
        newest = {item["metadata"]["uid"] for item in replica_sets(self.namespace, deployment)[-1:]}
        return [
            pod
            for pod in self.namespace.list("pod")
            if "deletionTimestamp" not in pod["metadata"]
            and any(owner["uid"] in newest for owner in pod["metadata"].get("ownerReferences", ()))
        ]

    def wait_behind(self, service: str) -> bool:
        """Return whether a ready pod gets behind a Service; at once where its selector chooses none."""
        self.until(lambda: self.behind(service) or not self.chosen(service), _BEHIND_S)
        return bool(self.behind(service))

    def stops_at_once(self, container: str | None = None) -> bool:
        """Return whether a container (that one, where it is named) ends as soon as it is launched."""
        if self.until(lambda: self._launched(container), _LAUNCH_S):
            self.pause(_AT_ONCE_S)
        return any(map(container_has_ended, self._launched(container)))

    def _launched(self, container: str | None) -> list[dict[str, Any]]:
        return [
            status
            for pod in self.namespace.list("pod")
            for status in container_statuses(pod)
            if container in (None, status["name"])
            and ("running" in status.get("state", {}) or container_has_ended(status))
        ]

    def standing(self) -> tuple[int, int]:
        """Return how many containers are ready, and how often containers were restarted in all."""
        statuses = [item for pod in self.namespace.list("pod") for item in container_statuses(pod)]
        ready = sum(status["ready"] for status in statuses)
        return ready, sum(status["restartCount"] for status in statuses)

    def until(
        self,
        look: Callable[[], Seen],
        timeout_s: float = math.inf,
        done: Callable[[Seen], object] = bool,
        every_s: float = 0.2,
    ) -> Seen:
        """Return what `look` returns once that is what was waited for, or last of all; see `wait_until`.

        Where nothing was changed since the exercise began, that is soon (`_UNTOUCHED_S`); on a machine that has much
        to do it is later (`slowness`).

        Raises
        ------
        WaitTimeoutError, SpoiledError
            The check's own time is over; or its namespace is gone (see `remaining_s`).
        """
        longest_s = slowness() * (min(timeout_s, _UNTOUCHED_S) if self.untouched else timeout_s)
        return wait_until(look, longest_s, done=done, every_s=every_s, pause=self.pause)

    def names_a_pod(self, message: str) -> bool:
        """Return whether a message names a pod that is still there: controllers also speak of former ones."""
        return any(pod["metadata"]["name"] in message for pod in self.namespace.list("pod"))

    def quickest_s(self, act: Callable[[], object], enough_s: float, tries: int) -> float:
        """Return how long the quickest of some tries took, the last of them being the first that is quick enough.

        What a limit takes comes each time, what a busy machine takes comes sometimes: there it gets more tries.

        Parameters
        ----------
        act : callable
            Does it; a result that is false counts for nothing, and it is done again a moment later.
        enough_s : float
            What is quick enough.
        tries : int
            How many at most, on an idle machine.
        """
        times: list[float] = []
        while min(times, default=math.inf) > enough_s and len(times) < tries * slowness():
            began_s = time.monotonic()
            if act():
                times.append(time.monotonic() - began_s)
            else:
                self.pause(_AGAIN_S)
        return min(times)

    def pause(self, duration_s: float) -> None:
        """Let time pass."""
        time.sleep(min(duration_s, self.remaining_s))

    @contextlib.contextmanager
    def observe(
        self, service: str | None = None, rate_per_s: float = 50.0
    ) -> Iterator[Observation]:
        """Record the namespace, under open-loop traffic where a Service is named, while a block runs."""
        observation = Observation(Recorder(self.cluster, self.namespace, self._exercise.name))
        with observation.recorder, contextlib.ExitStack() as stack:
            if service is not None:
                observation.traffic = stack.enter_context(
                    traffic.Traffic(
                        self.namespace.service_url(service, timeout_s=self.remaining_s),
                        rate_per_s=rate_per_s,
                        max_duration_s=self.remaining_s,
                        zero_monotonic_s=observation.recorder.clock.zero_monotonic_s,
                    )
                )
            self.pause(BEFORE_S)
            yield observation
            self.pause(BEFORE_S)


def _counted(quota: dict[str, Any]) -> bool:
    status = quota.get("status", {})
    return "used" in status and status.get("hard") == quota["spec"].get("hard")


def _has_address(spec: object) -> bool:
    """Return whether a Service gets an address of its own, so that it can be a NodePort too."""
    return (
        isinstance(spec, dict)
        and spec.get("clusterIP") != "None"
        and spec.get("type") != "ExternalName"
    )


def _unanswered(service: str) -> WaitTimeoutError:
    return WaitTimeoutError(
        f"Joindre les pods derrière le Service « {service} »",
        f"aucune suite de bonnes réponses en {_ANSWERS_S:.0f} s",
        "Vérifiez port, targetPort et selector du Service : le programme écoute sur le port 8080.",
    )


class Observation:
    """What happens while a check acts."""

    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder
        self.traffic: traffic.Traffic | None = None

    def mark(self, kind: str) -> None:
        """Note what is done now ("apply", "switch", "switch-back", "complete")."""
        self.recorder.mark(kind)

    def run(self) -> Run:
        """Return what was recorded; once the block is over."""
        return self.recorder.run(self.traffic.requests if self.traffic is not None else ())


def wait_placed(bench: Bench, pod: str) -> str:
    """Wait until a node takes a pod; return the scheduler's words where none does.

    Pods of an earlier check that are still on their way out keep their place: they do not count against an answer.
    """
    refused_s = None
    while True:
        current = bench.namespace.get("pod", pod)
        if current["spec"].get("nodeName"):
            return ""
        said = unschedulable(current)
        if not said or _some_leave(bench.cluster):
            refused_s = None
        elif refused_s is None:
            refused_s = time.monotonic()
        elif time.monotonic() - refused_s > _RETRY_S:
            return said
        bench.pause(0.2)


def _some_leave(cluster: Cluster) -> bool:
    if cluster.provider.kind == "existing":
        return False  # others' pods come and go there all day
    pods = cluster.api.request("GET", "/api/v1/pods")["items"]
    return any("deletionTimestamp" in pod["metadata"] for pod in pods)
