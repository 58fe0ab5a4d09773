"""Who works in a namespace of a pool, as its Lease says it, and whether they still do. Pure.

Source: https://kubernetes.io/docs/concepts/architecture/leases/
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from embedded_kubernetes import processes

from ...kube.classes import LEASE, MANAGED_BY

LAPSE_S = 120.0
"""A holder on another machine that has not renewed for so long is gone; clocks may differ by most of it."""
RENEW_S = 20.0
"""How often a holder renews."""

_ASKED = "k8s-helpers/asked"
_TAKE = "k8s-helpers/take"
_PROCESS = "k8s-helpers/process"
_POD = "k8s-helpers/pod"
_LASTING = "k8s-helpers/lasting"
_PHASE = "k8s-helpers/phase"
_STUCK = "k8s-helpers/stuck"
_OURS = (_ASKED, _TAKE, _PROCESS, _POD, _LASTING, _PHASE, _STUCK)

CLAIMED, EMPTYING, READY = "claimed", "emptying", "ready"
"""What a holder is at; nothing of whoever had it before is left once it is ready."""


@dataclass(frozen=True)
class Holding:
    """One namespace of a pool.

    Attributes
    ----------
    namespace : str
        Its real name.
    asked : str
        The name that was asked for; "" where it is free.
    take : str
        What tells this take from every other.
    process, pod : str
        Who took it: `processes.identity()`, and the pod that it runs in ("" outside of a cluster).
    holder : str
        The same for people: machine and process id.
    lasting : bool
        It is to outlive the process that took it.
    phase : str
        `CLAIMED`, `EMPTYING` or `READY`.
    acquired_wall_s, renewed_wall_s : float
        When it was taken and last renewed, or given back (seconds since the epoch).
    stuck : str
        In French, what did not go when it was last emptied.
    notes : mapping
        Annotations that others keep there while it is held.
    resource_version : str
        Of the Lease; "" where there is none yet.
    """

    namespace: str
    asked: str = ""
    take: str = ""
    process: str = ""
    pod: str = ""
    holder: str = ""
    lasting: bool = False
    phase: str = ""
    acquired_wall_s: float = 0.0
    renewed_wall_s: float = 0.0
    stuck: str = ""
    notes: Mapping[str, str] = field(default_factory=dict)
    resource_version: str = ""

    @property
    def free(self) -> bool:
        """Whether nobody has it."""
        return not self.asked

    @property
    def acquired(self) -> str:
        """When it was taken, as the API writes instants: to the second."""
        return datetime.fromtimestamp(int(self.acquired_wall_s), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def ended(self, now_wall_s: float, pod: str) -> bool:
        """Return whether its holder will not give it back any more.

        Parameters
        ----------
        now_wall_s : float
            Now, in seconds since the epoch.
        pod : str
            Where we run: a pod of that name which is not ours was restarted (see `own_pod`).
        """
        if self.free or (self.lasting and self.phase == READY):
            return False
        if processes.has_ended(self.process):
            return True
        same_machine = _machine(self.process) == _machine(processes.identity())
        if pod and self.pod == pod and not same_machine:
            return True
        return now_wall_s - self.renewed_wall_s > LAPSE_S

    def taken(self, asked: str, take: str, now_wall_s: float, *, lasting: bool) -> Holding:
        """Return it as this process claims it."""
        return Holding(
            namespace=self.namespace,
            asked=asked,
            take=take,
            process=processes.identity(),
            pod=own_pod(),
            holder=f"{socket.gethostname()}, processus {os.getpid()}",
            lasting=lasting,
            phase=CLAIMED,
            acquired_wall_s=now_wall_s,
            renewed_wall_s=now_wall_s,
            stuck=self.stuck,
            resource_version=self.resource_version,
        )

    def freed(self, now_wall_s: float, stuck: str = "") -> Holding:
        """Return it as nobody's."""
        return Holding(
            self.namespace,
            renewed_wall_s=now_wall_s,
            stuck=stuck,
            resource_version=self.resource_version,
        )


def own_pod() -> str:
    """Return the pod that this process runs in, of which no two live under one name; "" where it is no pod."""
    from ..in_cluster import namespace  # a file is read: at first use

    home = namespace()
    return f"{home}/{socket.gethostname()}" if home else ""


def parse(namespace: str, lease: Mapping[str, Any] | None) -> Holding:
    """Return what a Lease says; that it is free where there is none."""
    if lease is None:
        return Holding(namespace)
    metadata, spec = lease["metadata"], lease.get("spec") or {}
    annotations: Mapping[str, str] = metadata.get("annotations") or {}
    holding = Holding(
        namespace,
        renewed_wall_s=_wall_s(spec.get("renewTime")),
        stuck=annotations.get(_STUCK, ""),
        resource_version=metadata["resourceVersion"],
    )
    if not annotations.get(_ASKED) or not spec.get("holderIdentity"):
        return holding
    return replace(
        holding,
        asked=annotations[_ASKED],
        take=annotations.get(_TAKE, ""),
        process=annotations.get(_PROCESS, ""),
        pod=annotations.get(_POD, ""),
        holder=spec["holderIdentity"],
        lasting=_LASTING in annotations,
        phase=annotations.get(_PHASE, ""),
        acquired_wall_s=_wall_s(spec.get("acquireTime")),
        notes={name: text for name, text in annotations.items() if name not in _OURS},
    )


def render(holding: Holding) -> dict[str, Any]:
    """Return the Lease that says so; with the version that was read, so that nobody's change is lost."""
    said = {
        _ASKED: holding.asked,
        _TAKE: holding.take,
        _PROCESS: holding.process,
        _POD: holding.pod,
        _LASTING: "true" if holding.lasting else "",
        _PHASE: holding.phase,
        _STUCK: holding.stuck,
    }
    annotations = {**holding.notes, **{name: text for name, text in said.items() if text}}
    metadata: dict[str, Any] = {
        "name": LEASE,
        "namespace": holding.namespace,
        "labels": MANAGED_BY,
        "annotations": annotations,
    }
    if holding.resource_version:
        metadata["resourceVersion"] = holding.resource_version
    spec: dict[str, Any] = {"renewTime": _micro(holding.renewed_wall_s)}
    if not holding.free:
        spec |= {
            "holderIdentity": holding.holder,
            "acquireTime": _micro(holding.acquired_wall_s),
        }
        if not holding.lasting:
            spec["leaseDurationSeconds"] = int(LAPSE_S)
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": metadata,
        "spec": spec,
    }


def _machine(identity: str) -> str:
    return identity.rpartition("/")[0].rpartition("/")[0]


def _micro(wall_s: float) -> str:
    return datetime.fromtimestamp(wall_s, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _wall_s(text: str | None) -> float:
    return datetime.fromisoformat(text).timestamp() if text else 0.0
