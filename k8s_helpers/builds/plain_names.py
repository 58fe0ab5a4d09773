"""The course's short image names in a class's namespaces: the cluster itself puts the registry's in their place.

A student who types `kubectl create deployment site --image=vitrine:v1` means the course's image, which nodes know by
their registry's name only. Where the server has MutatingAdmissionPolicy (stable since v1.36), one policy rewrites the
images of pods, and of nothing else: Deployments, and what the student reads of them, stay as they were written.

Source: https://kubernetes.io/docs/reference/access-authn-authz/mutating-admission-policy/
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..kube.classes import CLASS_LABEL, class_labels
from ..kube.image_names import STAND_IN
from .pull_secrets import PULL_SECRET

API_VERSION = "admissionregistration.k8s.io/v1"
RESOURCES = ("mutatingadmissionpolicies", "mutatingadmissionpolicybindings")

_MOST_CONTAINERS = 10
"""Of one kind in a pod, whose names are looked at: CEL has no loop with a number, so they are listed."""


def policy_name(class_name: str) -> str:
    """Return the name of a class's policy and of its binding."""
    return f"k8s-helpers-images-{class_name}"


def policy(
    class_name: str, images: Mapping[str, str], *, pull_secret: bool = False
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the policy and what binds it to the class's namespaces.

    Parameters
    ----------
    class_name : str
        The class.
    images : mapping
        Pinned references by short name.
    pull_secret : bool
        Whether each pod also gets the class's pull secret, whichever account it runs as.
    """
    name, labels = policy_name(class_name), class_labels(class_name)
    mutations = [
        _renaming(kind) for kind in ("containers", "initContainers", "ephemeralContainers")
    ]
    if pull_secret:
        mutations.append(_PULLING)
    rules = [
        _rule(["CREATE", "UPDATE"], "pods"),
        _rule(["UPDATE"], "pods/ephemeralcontainers"),
    ]
    spec = {
        "failurePolicy": "Ignore",  # a pod with a name that no node can pull says so itself
        "reinvocationPolicy": "Never",
        "matchConstraints": {
            "namespaceSelector": {"matchLabels": {CLASS_LABEL: class_name}},
            "resourceRules": rules,
        },
        "variables": [{"name": "images", "expression": _literal(_with_stand_ins(images))}],
        "mutations": mutations,
    }
    metadata = {"name": name, "labels": labels}
    bound = {"policyName": name}
    return (
        _object("MutatingAdmissionPolicy", metadata, spec),
        _object("MutatingAdmissionPolicyBinding", metadata, bound),
    )


def _object(kind: str, metadata: Mapping[str, Any], spec: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": API_VERSION,
        "kind": kind,
        "metadata": dict(metadata),
        "spec": dict(spec),
    }


def _rule(operations: list[str], resource: str) -> dict[str, Any]:
    return {
        "apiGroups": [""],
        "apiVersions": ["v1"],
        "operations": operations,
        "resources": [resource],
    }


def _with_stand_ins(images: Mapping[str, str]) -> dict[str, str]:
    """Add the names of programs of which there is the stand-in only."""
    named = {name.replace(f"{STAND_IN}:", ":"): pinned for name, pinned in images.items()}
    return named | dict(images)


def _literal(images: Mapping[str, str]) -> str:
    """Return a CEL map; JSON's quotes are CEL's."""
    pairs = (f"{json.dumps(name)}: {json.dumps(images[name])}" for name in sorted(images))
    return f"{{{', '.join(pairs)}}}"


def _renaming(kind: str) -> dict[str, Any]:
    """Return the patch of one list of containers: of those that are given a name of the course's as image."""
    places = ", ".join(map(str, range(_MOST_CONTAINERS)))
    held, before = f"object.spec.{kind}", f"oldObject.spec.{kind}"
    same = f"has({before}) && i < size({before}) && {before}[i].image == {held}[i].image"
    expression = (
        f"has({held}) ? [{places}]"
        f".filter(i, i < size({held}) && {held}[i].image in variables.images"
        f" && (oldObject == null || !({same})))"
        f'.map(i, JSONPatch{{op: "replace", path: "/spec/{kind}/" + string(i) + "/image", '
        f"value: variables.images[{held}[i].image]}}) : []"
    )
    return {"patchType": "JSONPatch", "jsonPatch": {"expression": expression}}


_PULLING = {
    "patchType": "JSONPatch",
    "jsonPatch": {
        "expression": 'request.operation != "CREATE" || '
        "has(object.spec.imagePullSecrets) && size(object.spec.imagePullSecrets) > 0 ? [] : "
        '[JSONPatch{op: "add", path: "/spec/imagePullSecrets", '
        f'value: [Object.spec.imagePullSecrets{{name: "{PULL_SECRET}"}}]}}]'
    },
}
"""Adds the pull secret to a pod that has none: one of another account than `default`."""
