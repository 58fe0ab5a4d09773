"""Where a namespace's requests go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

from ...analysis.story import Story
from ...measure.recording import Recording


@dataclass(frozen=True)
class Route:
    """A rule of an Ingress: from where to which Service."""

    ingress: str
    host: str
    path: str
    service: str


@dataclass(frozen=True)
class MappedService:
    """A Service, and the ready pods behind it."""

    name: str
    type: str
    selector: Mapping[str, str]
    pods: Sequence[str]


@dataclass(frozen=True)
class MappedPod:
    """A pod with its labels, but for the one that its ReplicaSet adds."""

    name: str
    ready: bool
    labels: Mapping[str, str]


@dataclass(frozen=True)
class NamespaceMap:
    """What the recording's one run holds: a namespace's objects."""

    namespace: str
    routes: Sequence[Route]
    services: Sequence[MappedService]
    pods: Sequence[MappedPod]

    @classmethod
    def of(cls, recording: Recording) -> Self:
        """Read them."""
        facts = recording.runs[0].parameters
        return cls(
            facts["namespace"],
            [Route(**route) for route in facts["routes"]],
            [MappedService(**service) for service in facts["services"]],
            [MappedPod(**pod) for pod in facts["pods"]],
        )


@dataclass(frozen=True, slots=True)
class RequestWay:
    """A request's way: its host and path, the Service that the rule names, the pods that may answer.

    Attributes
    ----------
    service : str
        "" where the rule names one that does not exist.
    """

    request: str
    service: str
    pods: tuple[str, ...]


def ways(recording: Recording) -> tuple[RequestWay, ...]:
    """Return the way of each request that an Ingress has a rule for."""
    facts = NamespaceMap.of(recording)
    pods = {service.name: tuple(service.pods) for service in facts.services}
    return tuple(
        RequestWay(
            f"{route.host}{route.path}",
            route.service if route.service in pods else "",
            pods.get(route.service, ()),
        )
        for route in facts.routes
    )


def to_json(recording: Recording) -> dict[str, Any]:
    """Return what `summary.json` tells of the map."""
    return {"ways": [{**asdict(way), "pods": list(way.pods)} for way in ways(recording)]}


def to_story(recording: Recording) -> Story:
    """Return what the map must tell wherever it is drawn: services and numbers of pods, as names differ."""
    return Story({way.request: (way.service, len(way.pods)) for way in ways(recording)}, {})
