"""The bench on which an answer is tried: a namespace of its own, a real update, traffic, and a time limit."""

from __future__ import annotations

import contextlib
import copy
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from typing import Any

from .. import images, load
from .._api import ApiSession
from .._errors import WaitTimeoutError
from .._progress import Progress
from ..cluster import Cluster, Namespace
from ..cluster.sentinel import Sentinel
from ..recorder import Recorder
from ..recording import Run
from . import guard, rights
from .catalogue import Exercise
from .containers import container_has_ended, container_statuses
from .guard import Objects

BEFORE_S = 2.0
"""Traffic before the first act and after the last one."""

_STEADY_ANSWERS = 12
"""A Service has settled when that many connections in a row are answered: with three pods behind it, one that does
not answer would be met with a probability of 99 %."""

_ANSWERS_S = 30.0
"""Longest wait for that; the app starts in three."""

_BEHIND_S = 20.0
"""Longest wait for the endpoints of pods that a Service does choose: only their controller takes its time."""

_LAUNCH_S = 20.0
"""Longest wait for a first container: its image is there already."""

_AT_ONCE_S = 1.0
"""A program that finds nothing of its own ends sooner."""

_QUOTA_EXTRA_PODS = 4
"""A pod on its way out counts too: the quota leaves room for some."""


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
    answer : mapping of str to objects
        The student's objects, by step.
    progress : Progress
        Told each act.

    Attributes
    ----------
    cluster, namespace, answer, progress
        As given.
    sentinel : Sentinel or None
        Asked during every wait.
    """

    def __init__(
        self,
        cluster: Cluster,
        namespace: Namespace,
        exercise: Exercise,
        answer: Mapping[str, Objects],
        progress: Progress,
    ) -> None:
        self.namespace = namespace
        self.answer = answer
        self.progress = progress
        self.cluster = cluster
        self._exercise = exercise
        self.sentinel: Sentinel | None = None
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

    def limit(self) -> None:
        """Make the namespace refuse more pods than the exercise needs, whatever the manifests ask for.

        Until the quota's controller has counted what is there, admission refuses everything that counts: that is
        waited for.
        """
        pods = self._exercise.max_pods + _QUOTA_EXTRA_PODS
        self.namespace.apply(
            {
                "apiVersion": "v1",
                "kind": "ResourceQuota",
                "metadata": {"name": "limite-de-l-exercice"},
                "spec": {"hard": {"pods": str(pods), "count/services": "4"}},
            }
        )
        self.wait_counted("limite-de-l-exercice")

    def wait_counted(self, quota: str) -> None:
        """Wait until a quota's controller has counted what is there: from then on the quota is enforced."""
        self.namespace.wait("quota", quota, _counted, self.remaining_s)

    def given(self, name: str) -> Objects:
        """Return the objects of a file of the exercise's own folder."""
        from .. import manifests

        return tuple(found.object for found in manifests.read(self._exercise.folder / name))

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
            if changed["kind"] in guard.WITH_PODS:
                for container in guard.containers(changed):
                    self._fit(container, version, env or {})
            elif changed["kind"] == "Service" and _has_address(changed.get("spec")):
                changed["spec"]["type"] = "NodePort"
            self.namespace.apply(changed)

    def _fit(self, container: dict[str, Any], version: str | None, env: Mapping[str, str]) -> None:
        app, _, written_version = container["image"].rpartition(":")
        wanted = f"{app}:{version or written_version}"
        if wanted not in self._images:
            self._images[wanted] = images.ensure(
                self.cluster, app, wanted.rpartition(":")[2], self.progress
            )
        container["image"] = self._images[wanted]
        written = container.get("env") or []
        if env and isinstance(written, list):
            kept = [
                one for one in written if not isinstance(one, dict) or one.get("name") not in env
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
            for found in self.namespace.list(kind):
                self.namespace.wait_rollout(found["metadata"]["name"], self.remaining_s, kind)
        while any("deletionTimestamp" in pod["metadata"] for pod in self.namespace.list("pod")):
            self.pause(min(0.2, self.remaining_s))

    def wait_answers(self, service: str) -> None:
        """Wait until a Service answers each new connection.

        Raises
        ------
        RefusedAnswerError
            The answer has no such Service.
        WaitTimeoutError
            It does not within `_ANSWERS_S`.
        """
        found = [one["metadata"]["name"] for one in self.namespace.list("service")]
        if service not in found:
            told = f"vous avez {', '.join(found)}" if found else "vous n’en avez aucun"
            raise guard.RefusedAnswerError(
                "incomplet", f"l’exercice s’adresse au Service « {service} », et {told}."
            )
        until_s = time.monotonic() + _ANSWERS_S
        url = self.namespace.service_url(service, timeout_s=0).url
        row = 0
        while row < _STEADY_ANSWERS:
            try:
                with urllib.request.urlopen(f"{url}/api/info", timeout=min(2.0, self.remaining_s)):
                    row += 1
            except (urllib.error.URLError, OSError):
                row = 0
                if time.monotonic() > until_s:
                    raise _unanswered(service) from None
                self.pause(0.2)

    def account(self, name: str) -> ApiSession:
        """Return a session that acts as a ServiceAccount of the exercise's namespace."""
        return self.cluster.api.acting_as(f"system:serviceaccount:{self.namespace.name}:{name}")

    def wait_rights(self) -> None:
        """Wait until the API server goes by every Role and RoleBinding of the namespace written so far.

        What is refused from then on is not late: it is not allowed.
        """
        rights.wait_learnt(self.namespace, self.account(rights.WITNESS), self.pause)

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
        written = ",".join(f"{key}={value}" for key, value in selector.items())
        pods = self.namespace.list("pod", written) if written else []
        return frozenset(pod["metadata"]["name"] for pod in pods)

    def behind(self, service: str) -> frozenset[str]:
        """Return the names of the ready pods behind a Service."""
        slices = self.namespace.list("endpointslices", f"kubernetes.io/service-name={service}")
        return frozenset(
            endpoint["targetRef"]["name"]
            for one in slices
            for endpoint in one.get("endpoints") or ()
            if endpoint["conditions"].get("ready")
        )

    def wait_behind(self, service: str) -> bool:
        """Return whether a ready pod gets behind a Service; at once where its selector chooses none."""
        until_s = time.monotonic() + _BEHIND_S
        while not self.behind(service):
            if not self.chosen(service) or time.monotonic() > until_s:
                return False
            self.pause(0.2)
        return True

    def stops_at_once(self, container: str | None = None) -> bool:
        """Return whether a container (that one, where it is named) ends as soon as it is launched."""
        until_s = time.monotonic() + _LAUNCH_S
        while not (found := self._launched(container)) and time.monotonic() < until_s:
            self.pause(0.2)
        if found:
            self.pause(_AT_ONCE_S)
        return any(container_has_ended(one) for one in self._launched(container))

    def _launched(self, container: str | None) -> list[dict[str, Any]]:
        return [
            one
            for pod in self.namespace.list("pod")
            for one in container_statuses(pod)
            if container in (None, one["name"])
            and ("running" in one.get("state", {}) or container_has_ended(one))
        ]

    def standing(self) -> tuple[int, int]:
        """Return how many containers are ready, and how often containers were restarted in all."""
        statuses = [one for pod in self.namespace.list("pod") for one in container_statuses(pod)]
        return sum(one["ready"] for one in statuses), sum(one["restartCount"] for one in statuses)

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
                    load.Traffic(
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
        self.traffic: load.Traffic | None = None

    def mark(self, kind: str) -> None:
        """Note what is done now ("apply", "switch", "switch-back", "complete")."""
        self.recorder.mark(kind)

    def run(self) -> Run:
        """Return what was recorded; once the block is over."""
        return self.recorder.run(self.traffic.requests if self.traffic is not None else ())
