"""What an answer may be: checked before anything reaches the cluster, refused in French."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .._errors import K8sHelpersError
from ..kube import manifests
from ..kube.image_names import short
from ..kube.manifests import Manifest
from .catalogue import VERSIONS, Exercise
from .finding import Finding
from .objects import (
    WITH_PODS,
    Objects,
    all_containers,
    containers,
    pod_spec,
    pod_specs,
    replicas,
)

MAX_TEXT = 20_000
MAX_OBJECTS, MAX_SNAPSHOT = 80, 300_000
"""Of a namespace that is handed in: how many objects, and how many characters of JSON."""

_RBAC = ("rbac.authorization.k8s.io/v1",)
VERSIONS_OF: Mapping[str, tuple[str, ...]] = {
    "ConfigMap": ("v1",),
    "Secret": ("v1",),
    "ServiceAccount": ("v1",),
    "Role": _RBAC,
    "RoleBinding": _RBAC,
    "ResourceQuota": ("v1",),
    "LimitRange": ("v1",),
    "PersistentVolumeClaim": ("v1",),
    "Service": ("v1",),
    "Pod": ("v1",),
    "Deployment": ("apps/v1",),
    "StatefulSet": ("apps/v1",),
    "DaemonSet": ("apps/v1",),
    "Job": ("batch/v1",),
    "CronJob": ("batch/v1",),
    "Ingress": ("networking.k8s.io/v1",),
    "NetworkPolicy": ("networking.k8s.io/v1",),
    "HorizontalPodAutoscaler": ("autoscaling/v2", "autoscaling/v1"),
    "PodDisruptionBudget": ("policy/v1",),
}
"""What a namespace that is handed in may hold, in the order in which it is applied."""

LARGEST_VALUE = 1e9
"""No exercise asks for that much."""


class RefusedAnswerError(Exception):
    """The answer cannot be tried; `finding` says why."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.finding = Finding(code, text)


def read(exercise: Exercise, answers: Sequence[object]) -> Mapping[str, tuple[Manifest, ...]]:
    """Return the objects of each step of an answer, with the lines that they are written in.

    Raises
    ------
    RefusedAnswerError
        Something missing, broken YAML, an object that the exercise does not allow.
    """
    if len(answers) != len(exercise.steps):
        wanted = ", ".join(exercise.steps)
        raise RefusedAnswerError(
            "incomplet",
            f"cet exercice attend {len(exercise.steps)} texte(s) YAML, dans cet ordre : {wanted}. "
            f"Vous en donnez {len(answers)}.",
        )
    return {
        step: _read_step(exercise, step, text)
        for step, text in zip(exercise.steps, answers, strict=True)
    }


def read_values(exercise: Exercise, answers: Sequence[object]) -> Mapping[str, Any]:
    """Return the values of an answer that needs no cluster.

    Raises
    ------
    RefusedAnswerError
        Not one mapping with the exercise's keys, a key still to fill, a value that is no number or no choice.
    """
    (answer,) = answers if len(answers) == 1 else (None,)
    if not isinstance(answer, Mapping):
        raise RefusedAnswerError(
            "incomplet",
            "cet exercice attend un dictionnaire : { … }, celui de la cellule au-dessus.",
        )
    unknown = [repr(key) for key in answer if key not in exercise.fields]
    missing = [key for key in exercise.fields if answer.get(key, ...) in (..., None)]
    if unknown:
        raise RefusedAnswerError(
            "incomplet",
            f"{', '.join(unknown[:5])} : rien de tel n’est demandé. Les clés : {', '.join(exercise.fields)}.",
        )
    if missing:
        raise RefusedAnswerError("vide", f"il reste à répondre à : {', '.join(missing)}.")
    return {
        key: _sound_value(key, answer[key], asked.choices) for key, asked in exercise.fields.items()
    }


def _sound_value(key: str, value: object, choices: Sequence[str]) -> object:
    """Return the number, or the choice as the exercise writes it: capitals and spaces around it do not matter."""
    if choices:
        said = value.strip().casefold() if isinstance(value, str) else None
        for choice in choices:
            if said == choice.casefold():
                return choice
        raise RefusedAnswerError(
            "interdit",
            f"« {key} » : « {str(value)[:60]} » n’est pas un choix. Les choix : {', '.join(choices)}.",
        )
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise RefusedAnswerError(
            "interdit",
            f"« {key} » : écrivez un nombre, sans guillemets, avec un point pour la virgule.",
        )
    if not -LARGEST_VALUE < value < LARGEST_VALUE:  # neither inf, nor nan, nor 10**400
        raise RefusedAnswerError(
            "interdit", f"« {key} » : ce nombre est démesuré. Relisez l’unité."
        )
    return value


def _read_step(exercise: Exercise, step: str, text: object) -> tuple[Manifest, ...]:
    if not isinstance(text, str):
        raise RefusedAnswerError(
            "vide",
            f"« {step} » devrait être un texte YAML entre guillemets triples, c’est {_kind_of(text)}.",
        )
    if not text.strip():
        raise RefusedAnswerError("vide", f"« {step} » est vide : écrivez-y votre manifeste.")
    if len(text) > MAX_TEXT:
        raise RefusedAnswerError(
            "interdit", f"« {step} » dépasse {MAX_TEXT} caractères : allez à l’essentiel."
        )
    try:
        parsed = manifests.parse(text)
    except K8sHelpersError as error:
        raise RefusedAnswerError(
            "yaml", f"« {step} » ne se lit pas : {error.found}\n{error.advice}"
        ) from None
    for manifest in parsed:
        _shorten_images(exercise, manifest.object)
        _require_allowed(exercise, manifest.object, manifest.title)
    return tuple(parsed)


def read_objects(exercise: Exercise, objects: Sequence[object]) -> Objects:
    """Return the objects of a namespace that somebody hands in, in the order in which they are applied.

    A pod of its own whose image is not the exercise's was there to look around: it is left out.

    Raises
    ------
    RefusedAnswerError
        Too many, no objects at all, a kind or an image that no exercise needs, something of the host.
    """
    if len(objects) > MAX_OBJECTS or len(json.dumps(objects)) > MAX_SNAPSHOT:
        raise RefusedAnswerError("interdit", "la réponse rendue est démesurée.")
    sound: list[dict[str, Any]] = []
    for item in objects:
        if not isinstance(item, dict) or not isinstance(item.get("metadata"), dict):
            raise RefusedAnswerError(
                "incomplet", "la réponse rendue contient ce qui n’est pas un objet."
            )
        title = f"{item.get('kind')}/{item['metadata'].get('name')}"[:80]
        if item.get("apiVersion") not in VERSIONS_OF.get(str(item.get("kind")), ()):
            raise RefusedAnswerError("interdit", f"{title} : ce type d’objet n’est pas admis.")
        _shorten_images(exercise, item)
        if item["kind"] == "Pod" and _foreign_images(exercise, item):
            continue
        for reason in _unsound(exercise, item):
            raise RefusedAnswerError("interdit", f"{title} : {reason}")
        sound.append(item)
    order = list(VERSIONS_OF)
    return tuple(sorted(sound, key=lambda item: order.index(item["kind"])))


def _unsound(exercise: Exercise, item: Mapping[str, Any]) -> Iterator[str]:
    yield from _forbidden(exercise, item)
    if (item.get("spec") or {}).get("externalIPs"):
        yield "« externalIPs » n’est pas admis."
    for pod in pod_specs(item.get("spec")):
        yield from _of_the_host(exercise, pod)
    if foreign := _foreign_images(exercise, item):
        yield f"l’image « {foreign[0][:60]} » n’est pas de cet exercice."


def _of_the_host(exercise: Exercise, pod: Mapping[str, Any]) -> Iterator[str]:
    if any(pod.get(name) for name in ("hostNetwork", "hostPID", "hostIPC")):
        yield "rien de la machine hôte n’est nécessaire ici (host…)."
    if any(path not in exercise.host_paths for path in _host_paths(pod)):
        yield "un dossier de la machine hôte n’est pas admis."
    for container in all_containers(pod):
        context = container.get("securityContext")
        if isinstance(context, Mapping) and (
            context.get("privileged") or context.get("capabilities", {}).get("add")
        ):
            yield "un conteneur privilégié n’est pas admis."


def _shorten_images(exercise: Exercise, item: Mapping[str, Any]) -> None:
    """Give the exercise's images their short names: on some clusters they are typed with their registry's."""
    known = {f"{app}:{version}" for app in exercise.apps for version in VERSIONS}
    for pod in pod_specs(item.get("spec")):
        for container in all_containers(pod):
            name = short(str(container.get("image", "")))
            if name in known:
                container["image"] = name


def _foreign_images(exercise: Exercise, item: Mapping[str, Any]) -> list[str]:
    known = {f"{app}:{version}" for app in exercise.apps for version in VERSIONS}
    named = [
        str(container.get("image"))
        for pod in pod_specs(item.get("spec"))
        for container in all_containers(pod)
    ]
    return [image for image in named if image not in known | set(exercise.image_tags)]


def _kind_of(value: object) -> str:
    if value is None or value is ...:
        return "encore à écrire"
    return f"un objet de type {type(value).__name__}"


def _require_allowed(exercise: Exercise, item: Mapping[str, Any], title: str) -> None:
    if item["kind"] not in exercise.kinds:
        allowed = ", ".join(sorted(exercise.kinds))
        for kind in exercise.kinds:
            if str(item["kind"]).lower() == kind.lower():
                raise RefusedAnswerError(
                    "refuse", f"{title} : écrivez « kind: {kind} » ; les majuscules comptent."
                )
        raise RefusedAnswerError(
            "interdit",
            f"{title} : cet exercice se résout avec {allowed}, rien d’autre n’est appliqué.",
        )
    for reason in _forbidden(exercise, item):
        raise RefusedAnswerError("interdit", f"{title} : {reason}")
    if item["kind"] in WITH_PODS:
        _require_images(exercise, item, title)


def _forbidden(exercise: Exercise, item: Mapping[str, Any]) -> Iterator[str]:
    """Yield why an object may not be applied, first what is to be said first."""
    if item["metadata"].get("namespace"):
        yield "effacez la ligne « namespace: … », l’exercice a son propre espace de noms."
    if item["metadata"].get("finalizers"):
        yield "effacez « finalizers ». L’objet ne pourrait plus être supprimé sans son contrôleur."
    if item["kind"] not in WITH_PODS:
        return
    wanted = replicas(item)
    if isinstance(wanted, bool) or not isinstance(wanted, int) or wanted < 0:
        yield f"« replicas » vaut {str(wanted)[:40]!r}. C’est un nombre entier, sans guillemets ni signe."
    elif wanted > exercise.max_pods:
        yield f"{wanted} réplicas, c’est trop ; {exercise.max_pods} pods au plus ici."
    pod = pod_spec(item)
    if any(pod.get(name) for name in ("hostNetwork", "hostPID", "hostIPC")):
        yield "rien de la machine hôte n’est nécessaire ici (host…)."
    for path in _host_paths(pod):
        if path not in exercise.host_paths:
            allowed = ", ".join(sorted(exercise.host_paths))
            rule = f"seul {allowed} est permis ici" if allowed else "aucun n’est nécessaire ici"
            yield f"« {str(path)[:60]} » est un dossier de la machine hôte ; {rule}."


def _require_images(exercise: Exercise, item: Mapping[str, Any], title: str) -> None:
    images = [f"{app}:{version}" for app in exercise.apps for version in VERSIONS]
    for container in containers(item):
        if container.get("image") is None:
            raise RefusedAnswerError(
                "incomplet",
                f"{title} : le conteneur « {container.get('name', '?')} » n’a pas d’image ; "
                f"ajoutez « image: {images[0]} ».",
            )
        if container["image"] not in images:
            raise RefusedAnswerError(
                "interdit",
                f"{title} : l’image « {container['image']} » n’est pas de cet exercice ; "
                f"prenez {' ou '.join(images[:2])}.",
            )


def _host_paths(pod: Mapping[str, Any]) -> list[object]:
    """Return the folders of the node that a pod mounts; None for one that is no text (the API server will tell)."""
    listed = pod.get("volumes")
    volumes = listed if isinstance(listed, list) else []
    sources = [
        item["hostPath"] for item in volumes if isinstance(item, Mapping) and "hostPath" in item
    ]
    paths = [source.get("path") if isinstance(source, Mapping) else None for source in sources]
    return [posixpath.normpath(path) if isinstance(path, str) and path else path for path in paths]
