"""Probes as a manifest writes them, and what is known of the program that they ask."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import yaml

from .._errors import UsageError
from ..kube import yaml as _yaml
from .span import Span

ProbeKind = Literal["startup", "readiness", "liveness"]
KINDS: tuple[ProbeKind, ...] = ("startup", "readiness", "liveness")

NEVER = Span(math.inf, math.inf)
AT_ONCE = Span(0.0, 0.0)
_QUICK = Span(0.0, 1.0)


@dataclass(frozen=True)
class Probe:
    """One probe of a container, with Kubernetes' defaults where the manifest says nothing.

    Source: https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/
    """

    kind: ProbeKind
    action: Mapping[str, Any] = field(default_factory=dict)
    initial_delay_s: float = 0.0
    period_s: float = 10.0
    timeout_s: float = 1.0
    successes: int = 1
    failures: int = 3

    @classmethod
    def of(cls, kind: ProbeKind, written: Mapping[str, Any]) -> Probe:
        """Return the probe that a manifest describes."""
        return cls(
            kind,
            {
                name: written[name]
                for name in ("httpGet", "tcpSocket", "exec", "grpc")
                if name in written
            },
            float(written.get("initialDelaySeconds", 0)),
            float(written.get("periodSeconds", 10)),
            float(written.get("timeoutSeconds", 1)),
            int(written.get("successThreshold", 1)),
            int(written.get("failureThreshold", 3)),
        )

    def fails_after(self, at_s: float) -> Span:
        """Return when the last of the failures in a row comes that decide, where all checks fail from an instant on.

        Each check may take up to the time-out, and only the last one adds it: ticks go on meanwhile, unless the
        time-out is longer than the period.
        """
        first_s = max(at_s, self.initial_delay_s)
        between = self.failures - 1
        lo_s = first_s + between * self.period_s
        hi_s = first_s + self.period_s + between * max(self.period_s, self.timeout_s)
        return Span(lo_s, hi_s + self.timeout_s)

    def passes_after(self, at_s: float, *, at_once: bool = False, takes_s: float = 0.0) -> Span:
        """Return when the last of the successes in a row comes that decide, where all checks pass from an instant on.

        Parameters
        ----------
        at_once : bool
            A check is made at that very instant.
        takes_s : float
            How long each answer takes.
        """
        first_s = max(at_s, self.initial_delay_s)
        longest_s = max(self.period_s, takes_s)
        wait_s = 0.0 if at_once and at_s >= self.initial_delay_s else longest_s
        between = self.successes - 1
        return Span(
            first_s + between * self.period_s + takes_s,
            first_s + between * longest_s + wait_s + takes_s,
        )


@dataclass(frozen=True)
class Answers:
    """What is known of a program: from when it answers well, as intervals after the start of its container.

    Attributes
    ----------
    listens : Span
        From when its port is open.
    paths : mapping of str to Span
        From when each path answers with 200 to 399; one that is not here never does.
    port, grpc_port : int
        Where it listens; a probe on another port never passes.
    command, grpc : Span
        From when the command of an exec probe succeeds, and from when the program says SERVING.
    stops : Span
        How long it takes to end once it is told to.
    takes_s : float
        How long each of its answers takes; a probe whose time-out is shorter never passes.
    """

    listens: Span
    paths: Mapping[str, Span] = field(default_factory=dict)
    port: int = 8080
    grpc_port: int = 9090
    command: Span = AT_ONCE
    grpc: Span = NEVER
    stops: Span = _QUICK
    takes_s: float = 0.0

    def to(self, probe: Probe, ports: Mapping[str, int]) -> Span:
        """Return from when a probe is answered well.

        Parameters
        ----------
        probe : Probe
            What asks.
        ports : mapping
            The container's named ports.
        """
        if self.takes_s > probe.timeout_s:
            return NEVER
        for name, action in probe.action.items():
            if name == "exec":
                return self.command
            port = ports.get(str(action.get("port")), action.get("port"))
            if name == "grpc":
                return self.grpc if port == self.grpc_port else NEVER
            if port != self.port:
                return NEVER
            if name == "tcpSocket":
                return self.listens
            path = str(action.get("path", "/")).partition("?")[0]
            return self.paths.get(path, NEVER)
        return NEVER


def probes_of(container: Mapping[str, Any]) -> dict[ProbeKind, Probe]:
    """Return the probes that a container's manifest describes."""
    return {
        kind: Probe.of(kind, container[f"{kind}Probe"])
        for kind in KINDS
        if container.get(f"{kind}Probe")
    }


def container_of(manifest: str | Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the first container of a Pod, of a workload, of a pod template, or of a YAML text with one of them.

    Raises
    ------
    UsageError
        There is none.
    """
    try:
        found = (
            [document.value for document in _yaml.documents(manifest)]
            if isinstance(manifest, str)
            else [manifest]
        )
    except yaml.YAMLError as error:
        found = [str(error)]
    for one in found:
        spec = one.get("spec") or {} if isinstance(one, Mapping) else {}
        spec = (spec.get("template") or {}).get("spec") or spec
        for container in spec.get("containers") or ():
            return dict(container)
    raise UsageError(
        "Prévoir ce que feront les sondes",
        "ce manifeste ne décrit aucun conteneur",
        "Donnez un Pod, un Deployment ou un modèle de pod, avec spec.containers.",
    )
