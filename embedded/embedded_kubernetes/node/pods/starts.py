"""The start of one container: image, configuration, process, postStart hook.

(source: `startContainer` of `pkg/kubelet/kuberuntime/kuberuntime_container.go`)
"""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import Coroutine, Iterable
from pathlib import Path
from typing import Any, TypeVar

from ..api import ApiError
from ..cri import (
    Container,
    ContainerConfig,
    ContainerCreateError,
    ContainerStartError,
    ImageConfig,
    Mount,
)
from ..dns.pod_files import HOSTS, RESOLV_CONF, hostname_and_domain
from ..environment.env import ConfigError, variables
from ..environment.expansion import expand, lookup_in
from ..proxy.http_proxy import proxy_environment
from ..records import Object, Record
from ..rules.resources import limits
from ..rules.security import capabilities, no_new_privileges, refusal, user
from ..storage.payloads import MountError
from ..storage.volumes import PodVolumes
from ..wall import timestamp
from . import cgroups, hooks, read_only
from .context import PodContext
from .pulls import StartError

T = TypeVar("T")

_RETRY_S = 10.0
_TERMINATION_LOG = "/dev/termination-log"
_MESSAGE_BYTES = 4096
_FALLBACK_BYTES = 2048
_ONE_ID = (
    "Ce conteneur root ne peut pas devenir un autre utilisateur (setuid échoue : EPERM) : ce compte n’a qu’un "
    "identifiant, et le noyau refuse d’en faire croire d’autres ({}). Un serveur qui quitte root au départ s’arrête. "
    "Un administrateur peut accorder des identifiants : « sudo apt install uidmap », puis « k8s-lab doctor »."
)
_START_ERROR_CODE = 128


async def start(
    context: PodContext, record: Record, volumes: PodVolumes, records: Iterable[Record]
) -> None:
    """Start a container, one of a pod's `records`; its hook is not run yet.

    Raises
    ------
    StartError
        It cannot be started now; where its program could not be run, the record has one more (short) life.
    """
    node, spec = context.node, record.spec

    async def image_of(reference: str, policy: str) -> ImageConfig:
        return await node.puller.image(
            context.pod,
            reference,
            policy,
            lambda kind, reason, message: context.tell(
                record, "Warning" if kind == "Warning" else "Normal", reason, message
            ),
        )

    image = await image_of(spec["image"], spec.get("imagePullPolicy", "IfNotPresent"))
    attempt = record.restart_count + (1 if record.lives else 0)
    try:
        await volumes.lay_images(spec, image_of)
        config = await _configure(context, record, image, volumes, attempt)
        config = dataclasses.replace(config, target_pid=_target_pid(record.spec, records))
    except (ConfigError, ApiError, MountError, OSError) as error:
        context.tell(record, "Warning", "Failed", f"Error: {error}")
        raise StartError("CreateContainerConfigError", str(error), _RETRY_S) from None
    await _begin_life(record, attempt, image)
    try:
        record.container = await uninterrupted(node.runtime.run(config))
    except ContainerCreateError as error:
        _forget_life(record)
        context.tell(record, "Warning", "Failed", f"Error: {error}")
        raise StartError("CreateContainerError", str(error), 1.0) from None
    except ContainerStartError as error:
        _end_stillborn(record, str(error))
        context.tell(record, "Warning", "Failed", f"Error: {error}")
        raise StartError("RunContainerError", str(error), 1.0) from None
    record.actuated = record.allocated
    record.container_id = record.container.container_id
    record.user = record.container.user
    record.started_wall_s = record.container.started_wall_s
    context.tell(record, "Normal", "Created", "Container created")
    context.tell(record, "Normal", "Started", "Container started")
    if refusal := record.container.one_id_refusal:
        context.tell(record, "Warning", "NotEnforced", _ONE_ID.format(refusal))


def _forget_life(record: Record) -> None:
    """Take back the life that was begun: its container could not even be made."""
    record.starting = False
    record.lives -= 1
    record.restart_count -= 1 if record.lives else 0


def _target_pid(spec: Object, records: Iterable[Record]) -> int:
    """Return a process of the container that a debugging one looks at; 0 where it looks at none."""
    name = spec.get("targetContainerName")
    if not name:
        return 0
    for record in records:
        if record.name == name and record.running and record.container is not None:
            return record.container.pid
    raise ConfigError(f"unable to find target container {name}")


async def run_post_start(context: PodContext, record: Record) -> None:
    """Run a container's postStart hook, if it has one.

    Raises
    ------
    StartError
        The hook failed: the container is to be killed.
    """
    hook = (record.spec.get("lifecycle") or {}).get("postStart")
    if hook is None:
        return
    try:
        await hooks.run(hook, context.target(record), context.node.checks)
    except hooks.HookError as error:
        # The hook's words stay out of the event: they may hold secrets.
        context.tell(record, "Warning", "FailedPostStartHook", "PostStartHook failed")
        raise StartError("PostStartHookError", str(error), 0.0) from None


async def _begin_life(record: Record, attempt: int, image: ImageConfig) -> None:
    if record.container is not None:
        # It may have written a hundred thousand files.
        await asyncio.to_thread(record.container.remove)
    if record.exited is not None:
        record.last, record.last_finished_wall_s = record.exited, record.finished_wall_s
    record.container = None
    record.container_id = ""
    record.exited = None
    record.waiting = record.refused = None
    record.failed_probe = None
    record.restart_for = None
    record.starting = True
    record.announced = record.started = record.ready = False
    record.restart_count = attempt
    record.lives += 1
    record.image_id = image.status_id
    record.image_name = image.status_name


def _end_stillborn(record: Record, message: str) -> None:
    record.starting = False
    record.finished_wall_s = time.time()
    record.exited = {
        "exitCode": _START_ERROR_CODE,
        "reason": "StartError",
        "message": message[:_MESSAGE_BYTES],
        "startedAt": timestamp(0),
        "finishedAt": timestamp(record.finished_wall_s),
    }


async def _configure(
    context: PodContext, record: Record, image: ImageConfig, volumes: PodVolumes, attempt: int
) -> ContainerConfig:
    node, spec, pod = context.node, record.spec, context.pod
    own = await variables(spec, context.env_sources(volumes.file))
    env = {**image.env, **_given(context), **own}
    find = lookup_in(own)
    command = tuple(expand(word, find) for word in spec.get("command") or ())
    arguments = tuple(expand(word, find) for word in spec.get("args") or ())
    argv = _argv(image, command, arguments)
    if not argv:
        raise ConfigError("no command specified")
    allowed = limits(record.allocated, context.allocated)
    refused = refusal(pod, spec, image.user)
    if refused is not None:
        raise ConfigError(refused)
    security = spec.get("securityContext") or {}
    if context.node.runtime.isolation == "prefix":
        read_only.refuse_root(spec)
        if message := read_only.not_enforced(pod, spec):
            context.tell(record, "Warning", "NotEnforced", message)
    signal = (spec.get("lifecycle") or {}).get("stopSignal")
    if signal:
        image = dataclasses.replace(image, stop_signal=signal)
    await volumes.restore()
    mounts = (
        *cgroups.mounts(context, record),
        *volumes.mounts(spec, env),
        Mount(_message_file(context, record, attempt), _message_path(spec)),
    )
    own_network = context.node.config.network == "pods"
    return ContainerConfig(
        hostname=hostname(pod, node.name),
        image=image,
        argv=argv,
        env=env,
        working_dir=spec.get("workingDir") or image.working_dir,
        mounts=mounts,
        log_path=log_path(context.folder, record.name, attempt),
        hosts_path=context.folder / HOSTS,
        resolv_path=context.folder / RESOLV_CONF if own_network else None,
        pod_uid=context.uid,
        memory_limit_bytes=allowed.memory_bytes,
        cpu_limit_cores=allowed.cpu_cores,
        memory_folders=volumes.in_memory(spec),
        pod=context.uid if context.allocated else "",
        capabilities=capabilities(spec, context.node.runtime.ids, context.node.config.network),
        user=user(pod, spec, image.user),
        no_new_privileges=no_new_privileges(spec),
        read_only_root=bool(security.get("readOnlyRootFilesystem")),
        stdin=bool(spec.get("stdin")),
        tty=bool(spec.get("tty")),
    )


def _argv(
    image: ImageConfig, command: tuple[str, ...], arguments: tuple[str, ...]
) -> tuple[str, ...]:
    """Return the command line: `command` replaces entrypoint and default arguments, `args` only the latter."""
    if command:
        return (*command, *arguments)
    return (*image.entrypoint, *(arguments or image.cmd))


def _given(context: PodContext) -> dict[str, str]:
    """Return what the node adds on the host's network: the address to bind, and how to reach Services by name."""
    node = context.node
    if node.runtime.network == "pods":
        return {}
    bind = context.address or node.host_address
    proxy = proxy_environment(node.config, context.namespace, bind)
    return {**proxy, "BIND_ADDR": bind}


def hostname(pod: Object, node_name: str) -> str:
    """Return the host name that a pod's programs see: the node's own where they live in its network."""
    if pod["spec"].get("hostNetwork"):
        return node_name
    name, domain = hostname_and_domain(pod)
    if not pod["spec"].get("setHostnameAsFQDN") or not domain:
        return name
    return f"{name}.{domain}"[:63].rstrip("-.")


def log_path(folder: Path, container: str, attempt: int) -> Path:
    """Return the log of one life of a container."""
    return folder / "logs" / container / f"{attempt}.log"


def _message_path(spec: Object) -> str:
    path: str = spec.get("terminationMessagePath") or _TERMINATION_LOG
    return path


def _message_file(context: PodContext, record: Record, attempt: int) -> Path:
    folder = context.folder / "messages"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{record.name}-{attempt}"
    path.touch()
    path.chmod(0o666)  # whoever the container runs as
    return path


def termination_message(context: PodContext, record: Record, container: Container) -> str:
    """Return what a container left to say: its message file, or the end of its log after an error."""
    attempt = record.restart_count
    path = context.folder / "messages" / f"{record.name}-{attempt}"
    try:
        with path.open("rb") as file:
            said = file.read(_MESSAGE_BYTES).decode(errors="replace")
        path.unlink()
    except OSError:
        said = ""
    falls_back = record.spec.get("terminationMessagePolicy") == "FallbackToLogsOnError"
    if not said and falls_back and record.exit_code != 0:
        said = _log_end(container.config.log_path)
    return said


def _log_end(path: Path) -> str:
    """Return the last 80 lines or 2 KiB of a log, without its times."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - 4 * _FALLBACK_BYTES))
            lines = file.read().decode(errors="replace").splitlines()[-80:]
    except OSError:
        return ""
    text = "".join(map(_text_of, lines))
    return text[-_FALLBACK_BYTES:]


def _text_of(line: str) -> str:
    """Return what a line of a log (`time stream tag text`) says; one that is tagged as a piece ends no line."""
    parts = line.split(" ", 3)
    return parts[-1] if parts[2:3] == ["P"] else f"{parts[-1]}\n"


async def uninterrupted(work: Coroutine[Any, Any, T]) -> T:
    """Finish some work even where the caller is cancelled meanwhile; the cancellation comes after it."""
    task = asyncio.ensure_future(work)
    cancelled = False
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError:
            cancelled = True
    current = asyncio.current_task()
    if cancelled and current is not None:
        current.cancel()
    return task.result()
