"""What we may do on a cluster: asked before something starts, of the API server itself, many questions at a time.

Source: https://kubernetes.io/docs/reference/kubernetes-api/authorization-resources/self-subject-access-review-v1/
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from .._errors import ApiRefusedError
from ..kube.api import ApiSession

OWN = "*"
"""In place of a namespace's name: one of the student's own."""

_REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
_AT_ONCE = 8
_VERBS = {
    "get": "lire",
    "list": "lister",
    "watch": "suivre",
    "create": "créer",
    "update": "modifier",
    "patch": "modifier",
    "delete": "supprimer",
    "deletecollection": "supprimer",
    "impersonate": "agir comme",
}


@dataclass(frozen=True)
class Right:
    """Something that a role allows.

    Attributes
    ----------
    verb, group, resource : str
        As in a Role: "create", "apps", "deployments"; a subresource after a slash ("pods/exec"); "" for the core group.
    namespace : str
        Where; "" for the whole cluster, `OWN` for any that the student works in.
    words : str
        In French, what it lets one do ("exécuter des commandes dans les pods"); otherwise made of verb and resource.
    """

    verb: str
    group: str
    resource: str
    namespace: str = ""
    words: str = ""

    def __str__(self) -> str:
        name = f"{self.resource}.{self.group}" if self.group else self.resource
        words = self.words or f"{_VERBS.get(self.verb, self.verb)} des {self.resource}"
        where = f"dans « {self.namespace} »" if self.namespace else "pour tout le cluster"
        return f"{words} ({self.verb} {name}, {where})"


def parse(text: str) -> Right:
    """Return the right that a text says: "create storageclasses.storage.k8s.io", "create resourcequotas here".

    "here" means in the student's own namespace.

    Raises
    ------
    ValueError
        It says none.
    """
    verb, name, *where = text.split()
    if where not in ([], ["here"]):
        raise ValueError(f"no right: {text!r}")
    resource, _, group = name.partition(".")
    return Right(verb, group, resource, OWN if where else "")


def missing(api: ApiSession, rights: Sequence[Right]) -> list[Right]:
    """Return those of the rights that we do not have."""
    if not rights:
        return []
    with ThreadPoolExecutor(min(_AT_ONCE, len(rights))) as workers:
        answers = list(workers.map(lambda right: _have(api, right), rights))
    return [right for right, answer in zip(rights, answers, strict=True) if not answer]


def require(api: ApiSession, rights: Iterable[Right], tried: str, advice: str) -> None:
    """Go on where we have all rights.

    Parameters
    ----------
    tried, advice : str
        The first and the last part of the error.

    Raises
    ------
    ApiRefusedError
        Names those that are missing.
    """
    if lacking := missing(api, tuple(rights)):
        raise ApiRefusedError(
            tried, f"il vous manque le droit de : {' ; '.join(map(str, lacking))}", advice
        )


def _have(api: ApiSession, right: Right) -> bool:
    resource, _, subresource = right.resource.partition("/")
    attributes = {
        "verb": right.verb,
        "group": right.group,
        "resource": resource,
        "subresource": subresource,
        "namespace": right.namespace,
    }
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes},
    }
    return bool(api.request("POST", _REVIEWS, body=review)["status"]["allowed"])
