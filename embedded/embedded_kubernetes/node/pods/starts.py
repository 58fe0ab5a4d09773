"""The start of one container: image, configuration, process, postStart hook.

(source: `startContainer` of `pkg/kubelet/kuberuntime/kuberuntime_container.go`)
"""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

from ..api import ApiError
from ..cri import Container, ContainerConfig, ContainerStartError, ImageConfig, Mount
from ..environment.env import ConfigError, variables
from ..environment.expansion import expand, lookup_in
from ..network.http_proxy import proxy_environment
from ..records import Object, Record
from ..rules.resources import limits
from ..rules.security import capabilities, no_new_privileges, refusal
from ..storage.volumes import PodVolumes
from ..wall import timestamp
from . import hooks, read_only
from .context import HOST_ADDRESS, PodContext
from .pulls import StartError

T = TypeVar("T")

_RETRY_S = 10.0
_TERMINATION_LOG = "/dev/termination-log"
_MESSAGE_BYTES = 4096
_FALLBACK_BYTES = 2048
_START_ERROR_CODE = 128


async def start(context: PodContext, record: Record, volumes: PodVolumes) -> None:
    """Start a container; its hook is not run yet.

    Raises
    ------
    StartError
        It cannot be started now; where its program could not be run, the record has one more (short) life.
    """
    node, spec = context.node, record.spec
    image = node.puller.image(
        context.uid,
        spec["image"],
        spec.get("imagePullPolicy", "IfNotPresent"),
        time.monotonic(),
        lambda kind, reason, message: context.tell(
            record, "Warning" if kind == "Warning" else "Normal", reason, message
        ),
    )
    attempt = record.restart_count + (1 if record.lives else 0)
    try:
        config = await _configure(context, record, image, volumes, attempt)
    except (ConfigError, ApiError, OSError) as error:
        context.tell(record, "Warning", "Failed", f"Error: {error}")
        raise StartError("CreateContainerConfigError", str(error), _RETRY_S) from None
    await _begin_life(record, attempt, image)
    try:
        record.container = await uninterrupted(node.runtime.run(config))
    except ContainerStartError as error:
        _end_stillborn(record, str(error))
        context.tell(record, "Warning", "Failed", f"Error: {error}")
        raise StartError("RunContainerError", str(error), 1.0) from None
    record.actuated = record.allocated
    record.container_id = record.container.container_id
    record.started_wall_s = record.container.started_wall_s
    context.tell(record, "Normal", "Created", "Container created")
    context.tell(record, "Normal", "Started", "Container started")


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
    record.image_id = image.image_id


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
    spec, pod = record.spec, context.pod
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
    mounts = (
        *volumes.mounts(spec, env),
        Mount(_message_file(context, record, attempt), _message_path(spec)),
    )
    return ContainerConfig(
        hostname=hostname(pod),
        image=image,
        argv=argv,
        env=env,
        working_dir=spec.get("workingDir") or image.working_dir,
        mounts=mounts,
        log_path=log_path(context.folder, record.name, attempt),
        hosts_path=context.folder / "hosts",
        memory_limit_bytes=allowed.memory_bytes,
        cpu_limit_cores=allowed.cpu_cores,
        memory_folders=volumes.in_memory(spec),
        pod=context.uid if context.allocated else "",
        capabilities=capabilities(spec) if security.get("capabilities") else None,
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
    """Return what the node adds: the address to bind, and how to reach Services by name."""
    bind = context.address or HOST_ADDRESS
    proxy = proxy_environment(context.node.config, context.namespace, bind)
    return {**proxy, "BIND_ADDR": bind}


def hostname(pod: Object) -> str:
    """Return the host name that a pod's programs see."""
    spec, meta = pod["spec"], pod["metadata"]
    name: str = spec.get("hostnameOverride") or spec.get("hostname") or meta["name"]
    if spec.get("setHostnameAsFQDN") and spec.get("subdomain"):
        name = f"{name}.{spec['subdomain']}.{meta['namespace']}.svc.cluster.local"
    return name[:63].rstrip("-.")


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
    path.touch(mode=0o666)
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
    text = "".join(f"{line.split(' ', 3)[-1]}\n" for line in lines)
    return text[-_FALLBACK_BYTES:]


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
