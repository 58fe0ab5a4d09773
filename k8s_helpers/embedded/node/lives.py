"""The lives of a pod's containers: start or wait, hook, probes, exit, kill.

(source: `pkg/kubelet/kuberuntime/kuberuntime_manager.go`)
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable

from . import starts, stops
from .context import PodContext
from .cri import Container
from .decisions import Kill
from .probes import ContainerProbes
from .pulls import StartError
from .records import Record, Waiting, pod_text
from .restarts import crash_loop_message
from .status import RUNTIME_NAME
from .volumes import PodVolumes
from .wall import timestamp


class Lives:
    """Starts, watches and ends the containers of one pod.

    Parameters
    ----------
    context : PodContext
        The pod.
    records : list of Record
        Its containers; their fields follow what happens.
    volumes : PodVolumes
        What they mount.
    on_change : callable
        Called when a record has changed by itself: the status shows it, and the pod may need something.
    on_step : callable
        Called when a record has changed by what was asked here: the status shows it, nothing more is
        needed (to look at the pod again at once would be to turn for ever while a container waits).
    """

    def __init__(
        self,
        context: PodContext,
        records: list[Record],
        volumes: PodVolumes,
        on_change: Callable[[], None],
        on_step: Callable[[], None],
    ) -> None:
        self._context = context
        self._records = records
        self._volumes = volumes
        self._on_change = on_change
        self._on_step = on_step
        self._probes: dict[str, ContainerProbes] = {}
        self._watchers: dict[str, asyncio.Task[None]] = {}
        self._ticking_since_s: float | None = None

    # Starting

    async def start(self, record: Record, *, killed: bool) -> float | None:
        """Start a container unless it must wait; return in how many seconds to try again.

        Parameters
        ----------
        record : Record
            Not running.
        killed : bool
            It was ended just now in order to be replaced.
        """
        if self._ticking_since_s is None:
            self._ticking_since_s = time.monotonic()
        wait_s = self._back_off(record, killed=killed)
        if wait_s > 0:
            return wait_s
        try:
            await starts.start(self._context, record, self._volumes)
            self._watch(record)
            await self._post_start(record)
        except StartError as error:
            record.waiting = Waiting(error.reason, error.message)
            self._on_step()
            return error.retry_s
        self._on_step()
        return None

    def _back_off(self, record: Record, *, killed: bool) -> float:
        """Return how long a container must wait for its restart; note the restart where it need not."""
        # What is killed to be replaced is measured by the death before this one, as upstream does.
        since_s = record.last_finished_wall_s if killed else record.finished_wall_s
        if record.lives == 0 or record.exited is None or since_s is None:
            return 0.0
        context = self._context
        back_off, key = context.node.back_off, f"{context.uid}/{record.name}"
        now_s = time.time()
        wait_s = back_off.remaining_s(key, since_s, now_s)
        if wait_s > 0:
            pod = pod_text(context.pod)
            words = f"Back-off restarting failed container {record.name} in pod {pod}"
            context.tell(record, "Warning", "BackOff", words)
            message = crash_loop_message(back_off.delay_s(key), record.name, pod)
            record.waiting = Waiting("CrashLoopBackOff", message)
            self._on_step()
            return wait_s
        back_off.next(key, since_s, now_s)
        return 0.0

    async def _post_start(self, record: Record) -> None:
        try:
            await starts.run_post_start(self._context, record)
        except StartError:
            longest_s = stops.grace_s(self._context, record)
            await stops.stop(self._context, record, "FailedPostStartHook", longest_s)
            await self._settled(record)
            raise
        if record.exited is not None:
            return
        record.announced = True
        probes = ContainerProbes(
            record,
            self._context.target(record),
            self._context.node.checks,
            self._on_change,
            lambda reason, message: self._context.tell(record, "Warning", reason, message),
            self._ticking_since_s,
        )
        self._probes[record.name] = probes
        probes.start()

    # Watching

    def _watch(self, record: Record) -> None:
        assert record.container is not None
        exit_noted = self._note_exit(record, record.container)
        self._watchers[record.name] = asyncio.create_task(exit_noted)

    async def _note_exit(self, record: Record, container: Container) -> None:
        status = await container.wait()
        probes = self._probes.pop(record.name, None)
        if probes is not None:
            probes.stop()
        record.finished_wall_s = status.finished_wall_s
        record.exited = {
            "exitCode": status.exit_code,
            "reason": status.reason,
            "startedAt": timestamp(record.started_wall_s),
            "finishedAt": timestamp(status.finished_wall_s),
            "containerID": f"{RUNTIME_NAME}://{record.container_id}",
        }
        if status.signal:
            record.exited["signal"] = status.signal
        message = starts.termination_message(self._context, record, container)
        if message:
            record.exited["message"] = message
        self._on_change()

    async def _settled(self, record: Record) -> None:
        """Return when a container's end is in its record."""
        if record.running:
            await asyncio.shield(self._watchers[record.name])

    # Ending

    async def kill(self, kills: Iterable[Kill]) -> None:
        """End containers that are to be replaced."""

        async def one(kill: Kill) -> None:
            longest_s = stops.grace_s(self._context, kill.record, kill.probe)
            await stops.stop(self._context, kill.record, kill.message, longest_s)
            await self._settled(kill.record)

        await asyncio.gather(*map(one, kills))

    async def stop_all(self, longest_s: float | None = None, *, hook: bool = True) -> None:
        """End all containers, sidecars last.

        Parameters
        ----------
        longest_s : float, optional
            The grace period; by default what the pod says.
        hook : bool
            Whether preStop hooks are still to be run.
        """
        ordering = stops.Ordering(self._records)

        async def one(record: Record) -> None:
            grace_s = stops.grace_s(self._context, record) if longest_s is None else longest_s
            words = f"Stopping container {record.name}"
            await stops.stop(self._context, record, words, grace_s, ordering=ordering, hook=hook)
            await self._settled(record)

        await asyncio.gather(*map(one, self._records))

    def quiet(self) -> None:
        """Let probes no longer kill anything: the pod ends anyway."""
        for probes in self._probes.values():
            probes.stop("startup", "liveness")

    def close(self) -> None:
        """Watch no more."""
        for probes in self._probes.values():
            probes.stop()
        for watcher in self._watchers.values():
            watcher.cancel()
