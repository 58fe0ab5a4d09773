"""What the recordings of the lab `statefulset` call things, and the facts of their marks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class DatabaseVariant(StrEnum):
    """How the database is run: the name of the run."""

    ORDERED = "ordered"
    PARALLEL = "parallel"
    DEPLOYMENT = "deployment"


class IdentityMoment(StrEnum):
    """When pods are asked who they are."""

    BORN = "born"
    REPLACED = "replaced-by"
    BACK = "back"


@dataclass(frozen=True)
class PodIdentity:
    """Who a pod is, and which notes it has."""

    moment: IdentityMoment
    pod: str
    uid: str
    ip: str
    claim: str | None
    notes: Sequence[str]


@dataclass(frozen=True)
class NameAnswer:
    """Which pod answered to a name of the cluster's DNS, with these Services: None where none did."""

    name: str
    answer: str | None
    services: Sequence[str]


@dataclass(frozen=True)
class Claims:
    """The claims that there are."""

    claims: Sequence[str]
