"""Before the class: one short experiment as each student, and who could not do it and why.

Each one acts with that student's kubeconfig alone: a namespace of the pool is taken, the course's program is deployed
and asked, a command is run in it, and the namespace is given back.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import textwrap
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .._errors import (
    ApiRefusedError,
    ImageError,
    K8sHelpersError,
    PoolWarning,
    UsageError,
    WaitTimeoutError,
)
from .._progress import Progress, Silent
from ..cluster import Cluster, Namespace
from ..kube.api import ApiStatusError
from ..kube.classes import HOME_VARIABLE
from ..kube.http import get
from ..kube.refusals import ignoring
from ..kube.waiting import wait_until
from ..providers.existing import ExistingProvider
from . import credentials
from .concurrency import for_each

AT_ONCE = 6
"""Students at the same time: so many pods start at once."""

READY_S = 90.0
"""Longest wait for the pod: its node may have to pull the image."""

_ANSWER_S = 20.0
_IMAGE = "vitrine:v1"
_NAME = "controle"
_RECOGNISE = "reconnaître l’étudiant"
_PORT = 8080
_NO_IMAGE = ("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull")
_OF_THE_TEACHER = (
    HOME_VARIABLE,
    "K8S_HELPERS_NAMESPACE_PREFIX",
    "K8S_HELPERS_CONTEXT",
    "K8S_HELPERS_KUBECONFIG",
)
"""Environment variables that would have a student's program look elsewhere."""

Step = Callable[[str], None]


@dataclass(frozen=True)
class CheckUp:
    """What became of one student's experiment.

    Attributes
    ----------
    student : str
        The id.
    duration_s : float
        How long it took.
    step : str
        In French, what was being done when it ended; "" where all was.
    error : K8sHelpersError or None
        Why it ended there.
    notices : tuple of str
        In French, what is wrong and did not keep the student from working: a namespace of the pool that is stuck.
    """

    student: str
    duration_s: float
    step: str = ""
    error: K8sHelpersError | None = None
    notices: tuple[str, ...] = ()

    @property
    def works(self) -> bool:
        """Whether the student can work."""
        return self.error is None


def check(
    students: Sequence[str], class_name: str, folder: Path, progress: Progress, *, at_once: int
) -> tuple[CheckUp, ...]:
    """Try to work as each student, and return what became of it, in the order of the ids.

    Parameters
    ----------
    students : sequence of str
        Their ids.
    folder : Path
        Where their kubeconfigs are.
    at_once : int
        How many at the same time.
    """
    files = credentials.files(folder, class_name) if folder.is_dir() else {}
    with _apart():
        outcomes = for_each(
            students,
            lambda student: _check_up(student, files.get(student), folder),
            progress,
            "Contrôle de la classe",
            at_once=at_once,
        )
    return tuple(outcomes.done[student] for student in sorted(outcomes.done))


@contextlib.contextmanager
def _apart() -> Iterator[None]:
    """Keep what the experiments note out of the teacher's own home folder, and the teacher's choices out of them."""
    before = dict(os.environ)
    with tempfile.TemporaryDirectory(prefix="k8s-helpers-") as home, warnings.catch_warnings():
        warnings.simplefilter("ignore", PoolWarning)  # `_unusable` says it in the table
        os.environ["K8S_HELPERS_HOME"] = home
        for name in _OF_THE_TEACHER:
            os.environ.pop(name, None)
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(before)


def _check_up(student: str, file: Path | None, folder: Path) -> CheckUp:
    begun_s = time.monotonic()
    steps = [""]
    try:
        if file is None:
            raise _no_file(student, folder)
        notices = _experiment(student, file, steps.append)
    except K8sHelpersError as error:
        return CheckUp(student, time.monotonic() - begun_s, steps[-1], error)
    return CheckUp(student, time.monotonic() - begun_s, notices=notices)


def _no_file(student: str, folder: Path) -> UsageError:
    return UsageError(
        f"Lire le kubeconfig de « {student} »",
        f"{folder} n’en a pas",
        f"Refaites-le : « k8s-lab class renew --student {student} --out {folder} ».",
    )


def _experiment(student: str, file: Path, step: Step) -> tuple[str, ...]:
    """Do the experiment, leave nothing, and return what is wrong all the same."""
    step(_RECOGNISE)
    provider = ExistingProvider(f"{_NAME}-{student}", kubeconfig=file)
    provider.up(Silent())
    cluster = Cluster(provider)
    try:
        if provider.enrolment is None:
            raise _no_class(student)
        step("prendre un espace de noms")
        with cluster.namespace(_NAME) as namespace:
            _work(namespace, provider.image_names.full(_IMAGE), step)
            step("rendre l’espace de noms")
        return _unusable(cluster, provider.enrolment.namespaces)
    finally:
        cluster.close()  # not `down`: it would give back what the student holds


def _unusable(cluster: Cluster, names: Sequence[str]) -> tuple[str, ...]:
    """Return, in French, which namespaces of the pool cannot be used."""
    gone = []
    for name in names:
        there = None
        with ignoring(403):
            there = cluster.api.find(f"/api/v1/namespaces/{name}")
        if there is None or "deletionTimestamp" in there["metadata"]:
            gone.append(f"« {name} » a été supprimé, ou est en train de disparaître")
    return tuple(gone)


def _no_class(student: str) -> ApiRefusedError:
    return ApiRefusedError(
        f"Travailler comme « {student} »",
        "son espace de noms personnel ne dit pas de quelle classe il est",
        "Relancez « k8s-lab class create » avec la même liste : elle remet ce qui manque.",
    )


def _work(namespace: Namespace, reference: str, step: Step) -> None:
    step("déployer la vitrine")
    namespace.apply(list(_objects(reference)))
    pod = _ready_pod(namespace, reference)
    step("interroger la vitrine")
    address = namespace.service_url(_NAME)
    answer = wait_until(
        lambda: get(address, "/api/info"), _ANSWER_S, done=lambda got: got.status == 200
    )
    if answer.status != 200:
        raise ApiRefusedError(
            f"Interroger le Service « {_NAME} » par {address.url}",
            f"réponse {answer.status} : {answer.body[:120]}",
            "Un pare-feu ou une NetworkPolicy arrête sans doute le serveur d’API : voyez « class create --pod-cidr ».",
        )
    step("exécuter une commande dans le pod")
    namespace.exec(pod, ["python3", "-c", "print(1)"])


def _ready_pod(namespace: Namespace, reference: str) -> str:
    """Return the name of the pod, once it is ready; say at once what will never be."""

    def look() -> tuple[str, K8sHelpersError | None]:
        for pod in namespace.list("pods", f"app={_NAME}"):
            status = pod.get("status", {})
            if any(
                item["type"] == "Ready" and item["status"] == "True"
                for item in status.get("conditions", ())
            ):
                return pod["metadata"]["name"], None
            if (why := _waiting(status)) is not None:
                return "", _not_pulled(reference, *why)
        return "", _refused(namespace)

    name, error = wait_until(look, READY_S, done=lambda seen: bool(seen[0] or seen[1]), every_s=0.5)
    if error is not None:
        raise error
    if not name:
        raise WaitTimeoutError(
            f"Attendre le pod de la vitrine dans « {namespace.name} »",
            f"il n’est pas prêt après {READY_S:.0f} s{_last_event(namespace)}",
            f"« kubectl -n {namespace.name} describe pods » dit ce qu’il attend : un nœud, de la mémoire, une image.",
        )
    return name


def _waiting(status: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return why a container's image does not come; None where that is not what it waits for."""
    for container in status.get("containerStatuses", ()):
        waiting = container.get("state", {}).get("waiting", {})
        if waiting.get("reason") in _NO_IMAGE:
            return waiting["reason"], waiting.get("message", "")
    return None


def _not_pulled(reference: str, reason: str, message: str) -> ImageError:
    return ImageError(
        f"Tirer l’image {reference}",
        f"le nœud n’y arrive pas ({reason}) : {message[:300]}",
        "Vérifiez que les nœuds joignent le registre, que l’image y est (« k8s-lab image push ») et, s’il faut un "
        "compte, --pull-secret.",
    )


def _refused(namespace: Namespace) -> K8sHelpersError | None:
    """Return why no pod is made at all: a quota that is full, a policy of the cluster."""
    for item in namespace.list("replicasets", f"app={_NAME}"):
        for condition in item.get("status", {}).get("conditions", ()):
            if condition["type"] == "ReplicaFailure" and condition["status"] == "True":
                return ApiRefusedError(
                    f"Créer le pod de la vitrine dans « {namespace.name} »",
                    f"le cluster le refuse : {condition['message'][:300]}",
                    "Un quota plein, ou une règle de ce cluster : corrigez-la avec son administrateur.",
                )
    return None


def _last_event(namespace: Namespace) -> str:
    try:
        warned = [item for item in namespace.events() if item.get("type") == "Warning"]
    except ApiStatusError:
        return ""
    return f" ; dernier avertissement : {warned[-1]['message'][:200]}" if warned else ""


def _objects(reference: str) -> Iterator[dict[str, Any]]:
    labels = {"app": _NAME}
    container = {
        "name": "vitrine",
        "image": reference,
        "ports": [{"containerPort": _PORT}],
        "resources": {"requests": {"cpu": "10m", "memory": "32Mi"}, "limits": {"memory": "128Mi"}},
        "readinessProbe": {
            "httpGet": {"path": "/healthz/ready", "port": _PORT},
            "periodSeconds": 1,
        },
    }
    yield {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": _NAME},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
    }
    yield {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": _NAME},
        "spec": {"selector": labels, "ports": [{"port": 80, "targetPort": _PORT}]},
    }


_SHOWN = 240
"""Longest reason in the table."""
_HEADS = ("ÉTUDIANT", "RÉSULTAT", "DURÉE", "POURQUOI")


def table(checked: Sequence[CheckUp]) -> str:
    """Return what became of each as the lines of a table; those who cannot work come first."""
    ordered = sorted(checked, key=lambda item: (item.works, not item.notices, item.student))
    lines = [_HEADS, *map(_cells, ordered)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(_HEADS))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def _cells(item: CheckUp) -> tuple[str, ...]:
    duration = f"{item.duration_s:.1f} s".replace(".", ",")
    if item.error is not None:
        why = f"{item.step} : {item.error.found}".lstrip(" :")
        return item.student, "✘", duration, textwrap.shorten(why, _SHOWN, placeholder=" …")
    return item.student, "✔", duration, " ; ".join(item.notices)


def advice(checked: Sequence[CheckUp]) -> tuple[str, ...]:
    """Return what to do, each thing once."""
    return tuple(dict.fromkeys(_advice(item) for item in checked if item.error is not None))


def _advice(item: CheckUp) -> str:
    """Return what the teacher has to do: the error's own advice is for the student."""
    error = item.error
    if isinstance(error, ApiStatusError) and error.code == 401:
        return (
            f"{item.student} : son jeton est périmé ou vient d’un autre cluster. « k8s-lab class renew --student "
            f"{item.student} », puis donnez-lui le nouveau fichier."
        )
    if isinstance(error, ApiRefusedError) and item.step == _RECOGNISE:
        return (
            f"{item.student} : relancez « k8s-lab class create » avec la même liste, qui remet les droits et les "
            "objets qui manquent."
        )
    return f"{item.student} : {error.advice}" if error is not None else ""
