"""What the student has made with kubectl outside the namespace of the exercise, without noticing."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

from .._errors import ManifestError
from ..cluster import Cluster, Namespace
from ..kube.manifests import parse
from ..kube.refusals import ignoring
from .catalogue import Exercise, exercises
from .namespace_state import WORK

DEFAULT = "default"
"""Where kubectl looks when nobody tells it."""

Key = tuple[str, str]
"""Kind and name."""


def find(cluster: Cluster, exercise: Exercise, namespace: Namespace, since: str) -> list[str]:
    """Return what was made with kubectl in a wrong namespace since an instant: "Deployment/web dans « default »".

    In "default" everything counts; on a cluster that others use too, and in other namespaces of the course, only what
    the exercise speaks of and its namespace lacks.

    Parameters
    ----------
    since : str
        As the API writes instants.
    """
    expected = _expected(exercise)
    shared = cluster.provider.kind == "existing"
    known = exercises()
    courses = {name: _expected_of(asked, known) for name, asked in cluster.asked_names().items()}
    default = cluster.provider.home_namespace or DEFAULT
    present: set[Key] = set()
    strays: list[tuple[Key, str]] = []
    for key, item in _by_hand(cluster):
        metadata = item["metadata"]
        if metadata["namespace"] == namespace.name:
            present.add(key)
        elif metadata["creationTimestamp"] >= since and (
            (metadata["namespace"] == default and (key in expected or not shared))
            or (key in expected and key not in courses.get(metadata["namespace"], expected))
        ):
            strays.append((key, metadata["namespace"]))
    return [
        f"{kind}/{name} dans « {place} »"
        for (kind, name), place in sorted(strays)
        if (kind, name) not in present
    ]


def _by_hand(cluster: Cluster) -> Iterator[tuple[Key, Mapping[str, Any]]]:
    """Yield what kubectl has made, wherever; nothing of a kind that we may not list.

    Each kind is asked for once, for all namespaces; in a class, whose students may not, once for each of theirs.
    """
    enrolment = cluster.provider.enrolment
    for word in WORK:
        kind = cluster.kinds.find(word)
        root = f"/apis/{kind.api_version}" if kind.group else f"/api/{kind.version}"
        paths = [f"{root}/{kind.plural}"]
        if enrolment is not None:
            paths = list(map(kind.path, (cluster.provider.home_namespace, *enrolment.namespaces)))
        for path in paths:
            with ignoring(403, 404):
                for item in cluster.api.request("GET", path)["items"]:
                    managers = item["metadata"].get("managedFields", ())
                    if any(entry.get("manager", "").startswith("kubectl") for entry in managers):
                        yield (kind.name, item["metadata"]["name"]), item


def _expected(exercise: Exercise) -> set[Key]:
    keys: set[Key] = set()
    for path in exercise.manifests():
        with contextlib.suppress(ManifestError):  # a patch, a kustomization
            keys |= {
                (item.object["kind"], item.object["metadata"]["name"])
                for item in parse(exercise.text(path))
            }
    return keys


def _expected_of(namespace: str, known: Mapping[str, Exercise]) -> set[Key]:
    """Return what belongs in a namespace: that of another exercise has objects of its own, of the same names."""
    own = namespace.partition("exercice-")[2]
    for name, exercise in known.items():
        if exercise.workspace and f"{own}-".startswith(f"{name}-"):
            return _expected(exercise)
    return set()
