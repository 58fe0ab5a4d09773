"""The pod that traffic leaves from, where no port of the cluster leads here: one a process, kept warm, deleted with it.

It does nothing by itself: programs are run in it by exec, with all that they need on their standard input. It fits the
Pod Security level "restricted", a small quota, and whatever user the cluster makes it run as.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import secrets
import threading
import time
from collections.abc import Sequence
from typing import Any

from embedded_kubernetes import processes

from .._errors import ApiRefusedError, K8sHelpersError, WaitTimeoutError
from ..kube.api import ApiSession, ApiStatusError
from ..kube.classes import MANAGED_BY, label_selector
from ..kube.discovery import Kinds
from ..kube.refusals import ignoring
from ..kube.streams import Conversation
from ..providers.base import Provider
from . import conditions, ownership
from .ownership import PROCESS

LABELS = MANAGED_BY | {"app.kubernetes.io/component": "traffic"}
SELECTOR = label_selector(LABELS)

IMAGE = "vitrine:v1"
"""Any image of the course that has `python3` would do; every experiment needs this one."""

_LIFE_S = 7200
"""The cluster ends the pod then, whatever became of us (`activeDeadlineSeconds`)."""
_LEFT_S = 900
"""Longer than any measure: one whose end is nearer is replaced before the next one."""
_READY_S = 90.0
_USER = 65534
"""`nobody`: an image's own user may be root, which "restricted" refuses."""
_USERS_RANGE = "openshift.io/sa.scc.uid-range"
"""Annotation of a namespace whose pods get a user from a range: they must not choose one."""
_RESOURCES = {
    "requests": {"cpu": "100m", "memory": "64Mi"},
    "limits": {"cpu": "500m", "memory": "256Mi"},
}
_WAIT = "import signal, sys; signal.signal(signal.SIGTERM, lambda *_: sys.exit(0)); signal.pause()"
_HOPELESS = frozenset(
    {
        "ImagePullBackOff",
        "InvalidImageName",
        "ErrImageNeverPull",
        "CreateContainerConfigError",
        "CreateContainerError",
        "RunContainerError",
    }
)
"""Reasons of a container that waits for what will not come by itself."""

_TRIED = "Préparer le pod d’où partira le trafic"

_kept: dict[tuple[str, ...], TrafficPod] = {}
_kept_lock = threading.Lock()


def of(api: ApiSession, provider: Provider) -> TrafficPod:
    """Return this process's pod in a cluster; nothing is made before a program is run in it."""
    key = _key(api, provider)
    with _kept_lock:
        if not _kept:
            atexit.register(_close_all)
        pod = _kept.setdefault(key, TrafficPod(api, provider))
    pod.api = api  # the newest knows the newest identity
    return pod


def close(api: ApiSession, provider: Provider) -> None:
    """Delete this process's pod in a cluster, and the namespace that was made for it; never an error."""
    with _kept_lock:
        pod = _kept.pop(_key(api, provider), None)
    if pod is not None:
        pod.close()


def sweep(api: ApiSession, home: str) -> None:
    """Delete the pods in a student's home namespace whose process, of this machine, has ended without doing it."""
    path = f"/api/v1/namespaces/{home}/pods"
    for pod in api.request("GET", path, query={"labelSelector": SELECTOR})["items"]:
        maker = pod["metadata"].get("annotations", {}).get(PROCESS)
        if maker and processes.has_ended(maker):
            _delete(api, home, pod["metadata"]["name"])


def _key(api: ApiSession, provider: Provider) -> tuple[str, ...]:
    where = provider.namespace_prefix, provider.home_namespace
    return (api.server, str(provider.kubeconfig), *where)


def _close_all() -> None:
    while _kept:
        _, pod = _kept.popitem()
        pod.close()


class TrafficPod:
    """The pod, made when it is first needed, and again where it has ended meanwhile.

    Parameters
    ----------
    api : ApiSession
        Of the cluster.
    provider : Provider
        Says in which namespace, and with which image.

    Attributes
    ----------
    api : ApiSession
        What is asked.
    """

    def __init__(self, api: ApiSession, provider: Provider) -> None:
        self.api = api
        self._provider = provider
        self._lock = threading.Lock()
        self._maker = os.getpid()
        self._namespace = ""
        self._name = ""
        self._end_s = 0.0

    def run(self, argv: Sequence[str]) -> Conversation:
        """Run a program in the pod, once that is ready.

        Raises
        ------
        ApiRefusedError
            The cluster allows no such pod (rights, quota, Pod Security), or no exec in it.
        WaitTimeoutError
            It does not become ready.
        """
        with self._lock:
            if not self._usable():
                self._make()
            path = f"/api/v1/namespaces/{self._namespace}/pods/{self._name}/exec"
        try:
            return Conversation(self.api, path, argv)
        except ApiStatusError as error:
            if error.code == 403:
                error.advice = (
                    "Les NodePorts de ce cluster ne mènent pas ici : le trafic part d’un pod, par « exec ». Demandez à "
                    "l’administrateur le droit « create » sur « pods/exec », ou prenez un cluster à vous (kind, "
                    "embarqué)."
                )
            error.tried = f"Envoyer du trafic depuis le pod « {self._name} »"
            raise

    def close(self) -> None:
        """Delete the pod, and its namespace where that was made for it; never an error."""
        if os.getpid() != self._maker:
            return  # a copy of the process that has made it
        with self._lock, contextlib.suppress(K8sHelpersError):
            self._drop()

    def _drop(self) -> None:
        name, self._name = self._name, ""
        if name:
            with contextlib.suppress(K8sHelpersError):
                _delete(self.api, self._namespace, name)
        namespace, self._namespace = self._namespace, ""
        if namespace and namespace != self._provider.home_namespace:
            provider = self._provider
            ownership.delete(
                self.api,
                Kinds(self.api),
                namespace,
                provider.namespace_prefix,
                grace_s=1.0,
                timeout_s=0.0,
                one_api_server=provider.one_api_server,
            )

    @property
    def _image(self) -> str:
        return self._provider.image_names.full(IMAGE)

    def _usable(self) -> bool:
        if not self._name or time.monotonic() > self._end_s - _LEFT_S:
            return False
        found = self.api.find(f"/api/v1/namespaces/{self._namespace}/pods/{self._name}")
        return found is not None and conditions.ready(found)

    def _make(self) -> None:
        if self._name:
            self._drop()
        try:
            account = self._place()
            body = self._pod(account)
            path = f"/api/v1/namespaces/{self._namespace}/pods"
            self._name = self.api.request("POST", path, body=body)["metadata"]["name"]
            self._end_s = time.monotonic() + _LIFE_S
            self._wait()
        except (ApiRefusedError, WaitTimeoutError) as error:
            error.tried = (
                f"{_TRIED} (les NodePorts de ce cluster ne mènent pas ici) : {error.tried}"
            )
            with contextlib.suppress(K8sHelpersError):
                self._drop()
            raise

    def _place(self) -> dict[str, str]:
        """Find or make the namespace that the pod goes to; return that one's annotations."""
        self._namespace = self._provider.home_namespace
        if not self._namespace:
            prefix = self._provider.namespace_prefix
            self._namespace = f"{prefix}trafic-{secrets.token_hex(2)}"
            ownership.create(
                self.api, Kinds(self.api), self._namespace, prefix, _READY_S, passing=True
            )
        found: dict[str, Any] = {}
        with ignoring(403):
            found = self.api.request("GET", f"/api/v1/namespaces/{self._namespace}")
        annotations: dict[str, str] = found.get("metadata", {}).get("annotations", {})
        return annotations

    def _pod(self, namespace_annotations: dict[str, str]) -> dict[str, Any]:
        user = {} if _USERS_RANGE in namespace_annotations else {"runAsUser": _USER}
        container = {
            "name": "trafic",
            "image": self._image,
            "command": ["python3", "-I", "-S", "-c", _WAIT],
            "resources": _RESOURCES,
            "securityContext": {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            },
            "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],
        }
        return {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                "name": f"trafic-{secrets.token_hex(4)}",
                "labels": LABELS,
                "annotations": {PROCESS: processes.identity()},
            },
            "spec": {
                "restartPolicy": "Never",
                "activeDeadlineSeconds": _LIFE_S,
                "terminationGracePeriodSeconds": 1,
                "automountServiceAccountToken": False,
                "enableServiceLinks": False,
                "securityContext": {
                    "runAsNonRoot": True,
                    "seccompProfile": {"type": "RuntimeDefault"},
                    **user,
                },
                "containers": [container],
                "volumes": [{"name": "tmp", "emptyDir": {"sizeLimit": "8Mi"}}],
            },
        }

    def _wait(self) -> None:
        kind = Kinds(self.api).find("pod")
        pod = conditions.wait(
            self.api, kind, self._namespace, self._name, _decided, "Ready", _READY_S
        )
        if conditions.ready(pod):
            return
        raise WaitTimeoutError(
            f"Attendre le pod « {self._name} » dans « {self._namespace} »",
            conditions.describe({**pod, "kind": "Pod"}),
            f"Vérifiez que les nœuds peuvent tirer {self._image} "
            "(« k8s-lab image push », K8S_HELPERS_IMAGE_PREFIX), et que le quota laisse un pod de plus.",
        )


def _decided(pod: dict[str, Any]) -> bool:
    """Return whether a pod is ready, or never will be."""
    status = pod.get("status", {})
    waiting = (
        container.get("state", {}).get("waiting", {}).get("reason")
        for container in status.get("containerStatuses", ())
    )
    ended = status.get("phase") in ("Failed", "Succeeded") or "deletionTimestamp" in pod["metadata"]
    return conditions.ready(pod) or ended or any(reason in _HOPELESS for reason in waiting)


def _delete(api: ApiSession, namespace: str, name: str) -> None:
    with ignoring(404):
        path = f"/api/v1/namespaces/{namespace}/pods/{name}"
        api.request("DELETE", path, query={"gracePeriodSeconds": 1})
