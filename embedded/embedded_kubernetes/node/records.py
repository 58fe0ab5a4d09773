"""What the node knows of each container of a pod: its lives so far and what became of the last one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from .cri import Container

Object = dict[str, Any]
Role = Literal["init", "sidecar", "main", "ephemeral"]


@dataclass(frozen=True)
class Waiting:
    """`state.waiting` of a container that could not be started (again)."""

    reason: str
    message: str = ""


RESTARTING_ALL = Waiting(
    "RestartingAllContainers", "The container is removed because RestartAllContainers in place"
)


class Record:
    """One container of a pod.

    Parameters
    ----------
    spec : dict
        Its entry in the pod's spec.
    role : str
        "init", "sidecar" (an init container that is always restarted), "main" or "ephemeral".

    Attributes
    ----------
    container : Container or None
        Its last life; None before the first one.
    exited : dict or None
        `state.terminated` once the last life is over.
    last : dict or None
        `lastState.terminated`: how the life before ended.
    waiting : Waiting or None
        Why it is not (re)started, as the status shows it.
    refused : Waiting or None
        Why the last look at the pod did not restart it: the status shows it from the next look on.
    announced : bool
        Whether the last life shows as running: not before its postStart hook is over.
    starting : bool
        Whether a life is being started: until it is announced or over, the status shows what it showed before.
    started, ready : bool
        What its probes say.
    failed_probe : str or None
        "liveness" or "startup" once that probe has failed, until it is killed for it.
    image_id, image_name : str
        The image of its last life, as the status shows it ("" for the name that the spec has).
    user : dict or None
        Who its last life's programs are; None before the first one.
    allocated : dict
        The resources that the node has granted it, which a resize changes later than the spec.
    actuated : dict
        The resources that it runs with, which a resize changes later still.
    """

    def __init__(self, spec: Object, role: Role) -> None:
        self.spec = spec
        self.role = role
        self.container: Container | None = None
        self.container_id = ""
        self.image_id = ""
        self.image_name = ""
        self.user: Object | None = None
        self.started_wall_s = 0.0
        self.finished_wall_s = 0.0
        self.exited: Object | None = None
        self.last: Object | None = None
        self.last_finished_wall_s: float | None = None
        self.waiting: Waiting | None = None
        self.refused: Waiting | None = None
        self.restart_count = 0
        self.lives = 0
        self.announced = False
        self.starting = False
        self.started = False
        self.ready = False
        self.failed_probe: Literal["liveness", "startup"] | None = None
        self.restart_for: str | None = None
        self.allocated: Object = spec.get("resources") or {}
        self.actuated = self.allocated

    @property
    def name(self) -> str:
        """The container's name."""
        name: str = self.spec["name"]
        return name

    @property
    def running(self) -> bool:
        """Whether its last life is not over."""
        return self.container is not None and self.exited is None

    def begin_again(self, why: Waiting) -> None:
        """Forget the lives so far, but for their number: the next one is the first of the pod's new beginning."""
        if self.container is not None:
            self.container.remove()
        self.container = None
        self.exited = None
        self.last = {"exitCode": 137, "reason": why.reason, "message": why.message}
        self.last_finished_wall_s = self.finished_wall_s
        self.waiting = why
        self.announced = self.started = self.ready = False
        self.failed_probe = None
        self.restart_for = None
        self.restart_count += 1
        self.lives = 0

    @property
    def exit_code(self) -> int | None:
        """How its last life ended; None while it lives or before the first one."""
        return None if self.exited is None else int(self.exited["exitCode"])


def role_of_init(spec: Object) -> Role:
    """Return "sidecar" for an init container that is always restarted, "init" otherwise."""
    return "sidecar" if spec.get("restartPolicy") == "Always" else "init"


def specs(pod: Object) -> Iterator[tuple[Object, Role]]:
    """Yield the containers of a pod with their roles, in the order of the spec."""
    spec = pod["spec"]
    for container in spec.get("initContainers") or ():
        yield container, role_of_init(container)
    for container in spec.get("containers") or ():
        yield container, "main"
    for container in spec.get("ephemeralContainers") or ():
        yield container, "ephemeral"


def pod_text(pod: Object) -> str:
    """Return a pod as the kubelet names it in messages: `name_namespace(uid)`."""
    meta = pod["metadata"]
    return f"{meta['name']}_{meta['namespace']}({meta['uid']})"
