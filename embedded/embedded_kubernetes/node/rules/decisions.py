"""What is to be done for a pod now: which containers to start, which to kill. Pure.

(source: `computePodActions` and `computeInitContainerActions`, `k8s.io/kubernetes/pkg/kubelet/kuberuntime`)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..records import Object, Record

_RESTART_ALL = "RestartAllContainers"


@dataclass(frozen=True)
class Kill:
    """A running container that must end."""

    record: Record
    message: str
    probe: str | None
    """Whose grace period counts: "liveness", "startup" or neither."""


@dataclass(frozen=True)
class Actions:
    """What a pod needs now.

    Attributes
    ----------
    over : bool
        Nothing of it will run any more: what still runs (sidecars) is to be stopped.
    start : tuple of Record
        Containers to start, in this order.
    kill : tuple of Kill
        Containers to stop first.
    restart_all : bool
        One has ended in a way that restarts every container of the pod, init containers first; nothing else counts.
    """

    over: bool = False
    start: tuple[Record, ...] = ()
    kill: tuple[Kill, ...] = ()
    restart_all: bool = False


def should_restart(container: Object, pod_spec: Object, exit_code: int) -> bool:
    """Return whether a container that ended with a code runs again.

    A rule of the container's own wins over its own policy, which wins over the pod's.
    """
    policy = container.get("restartPolicy")
    if policy is not None:
        if _action(container, exit_code) in ("Restart", _RESTART_ALL):
            return True
        return _by_policy(policy, exit_code)
    return _by_policy(pod_spec.get("restartPolicy", "Always"), exit_code)


def may_restart_all(pod_spec: Object) -> bool:
    """Return whether a container of a pod has a rule that restarts them all."""
    return any(
        rule.get("action") == _RESTART_ALL
        for field in ("initContainers", "containers")
        for container in pod_spec.get(field) or ()
        for rule in container.get("restartPolicyRules") or ()
    )


def restarts_all(records: Sequence[Record]) -> bool:
    """Return whether a container has ended in a way that restarts every container of its pod."""
    return any(
        record.exit_code is not None and _action(record.spec, record.exit_code) == _RESTART_ALL
        for record in records
        if record.role != "ephemeral"
    )


def _action(container: Object, exit_code: int) -> str | None:
    """Return what the first rule that an exit code matches asks for."""
    rules = container.get("restartPolicyRules") or ()
    return next((str(rule.get("action")) for rule in rules if _matches(rule, exit_code)), None)


def _matches(rule: Object, exit_code: int) -> bool:
    codes = rule.get("exitCodes") or {}
    listed = exit_code in (codes.get("values") or ())
    return listed if codes.get("operator") == "In" else not listed


def _by_policy(policy: str, exit_code: int) -> bool:
    return policy == "Always" or (policy == "OnFailure" and exit_code != 0)


def restarts_after_kill(container: Object, pod_spec: Object) -> bool:
    """Return whether a container that a probe has failed runs again (rules need an exit code, so they do not count)."""
    policy = container.get("restartPolicy") or pod_spec.get("restartPolicy", "Always")
    return bool(policy != "Never")


def decide(pod_spec: Object, records: Sequence[Record]) -> Actions:
    """Return what a pod needs now.

    Parameters
    ----------
    pod_spec : dict
        The pod's `spec`.
    records : sequence of Record
        Its containers, in the order of the spec.
    """
    if restarts_all(records):
        return Actions(restart_all=True)
    ephemeral = [record for record in records if record.role == "ephemeral" and record.lives == 0]
    inits = [record for record in records if record.role in ("init", "sidecar")]
    mains = [record for record in records if record.role == "main"]
    initialised = any(record.lives for record in mains)
    first = _Plan(pod_spec)
    if not first.add_inits(inits, initialised):
        if first.failed:
            return Actions(over=True)
        return Actions(start=(*ephemeral, *first.start), kill=tuple(first.kill))
    second = _Plan(pod_spec)
    kept = second.add_mains(mains)
    if kept == 0 and not second.start:
        return Actions(over=True, kill=tuple(second.kill))
    return Actions(
        start=(*ephemeral, *first.start, *second.start), kill=(*first.kill, *second.kill)
    )


class _Plan:
    def __init__(self, pod_spec: Object) -> None:
        self._spec = pod_spec
        self.start: list[Record] = []
        self.kill: list[Kill] = []
        self.failed = False

    def add_inits(self, inits: Sequence[Record], initialised: bool) -> bool:
        """Go through init containers and sidecars in order; return whether main containers may run."""
        for record in inits:
            if record.role == "init":
                if initialised:
                    continue
                if not self._init_done(record):
                    return False
            elif not self._keep_sidecar(record) and not initialised:
                return False
        return True

    def _init_done(self, record: Record) -> bool:
        if record.exit_code == 0:
            return True
        code = record.exit_code
        if code is not None and not should_restart(record.spec, self._spec, code):
            self.failed = True
        elif not record.running:
            self.start.append(record)
        return False

    def _keep_sidecar(self, record: Record) -> bool:
        """Plan for a sidecar; return whether the next container may start."""
        if not record.running:
            self.start.append(record)
            return False
        if record.failed_probe is not None or record.restart_for is not None:
            self._replace(record, "Init container")
            return record.started
        return record.started

    def add_mains(self, mains: Sequence[Record]) -> int:
        """Plan for the main containers; return how many are kept as they are."""
        kept = 0
        for record in mains:
            if not record.running:
                code = record.exit_code
                if code is None or should_restart(record.spec, self._spec, code):
                    self.start.append(record)
            elif record.failed_probe is not None or record.restart_for is not None:
                self._replace(record, "Container")
            else:
                kept += 1
        return kept

    def _replace(self, record: Record, noun: str) -> None:
        if record.restart_for is not None:
            message, restart = record.restart_for, True
        else:
            message = f"{noun} {record.name} failed {record.failed_probe} probe"
            restart = record.role == "sidecar" or restarts_after_kill(record.spec, self._spec)
        # The kubelet adds these words for main containers alone.
        if restart and record.role == "main":
            message += ", will be restarted"
        self.kill.append(Kill(record, message, record.failed_probe))
        if restart:
            self.start.append(record)
