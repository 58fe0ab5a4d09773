"""The lives of a pod's containers: start or wait, hook, probes, exit, kill.

Each look at a pod begins with its status, then tries what is to be done. So a container that has ended shows how it
ended (`Error`, `OOMKilled`, `Completed`) while its restart waits; that it waits (`CrashLoopBackOff`) is shown from the
next look on: often the one that restarts it.
(source: `pkg/kubelet/kuberuntime/kuberuntime_manager.go`, `SyncPod` of `pkg/kubelet/kubelet.go`, `reason_cache.go`)
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable

from ..cri import Container
from ..probes.prober import ContainerProbes
from ..records import RESTARTING_ALL, Record, Waiting, pod_text
from ..rules.decisions import Kill
from ..rules.restarts import crash_loop_message
from ..rules.status import RUNTIME_NAME
from ..storage.volumes import PodVolumes
from ..wall import timestamp
from . import starts, stops
from .context import PodContext
from .pulls import StartError


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
    on_end : callable
        Called when a container has ended: the pod may need something, and the status shows it with the next look.
    on_step : callable
        Called when a record has changed by what was asked here: the status shows it, nothing more is
        needed (to look at the pod again at once would be to turn for ever while a container waits).
    on_news : callable
        Called when a container has been started, or is seen to wait: the status must show it, however soon it changes.
    """

    def __init__(
        self,
        context: PodContext,
        records: list[Record],
        volumes: PodVolumes,
        on_change: Callable[[], None],
        on_end: Callable[[], None],
        on_step: Callable[[], None],
        on_news: Callable[[], None],
    ) -> None:
        self._context = context
        self._records = records
        self._volumes = volumes
        self._on_change = on_change
        self._on_end = on_end
        self._on_step = on_step
        self._on_news = on_news
        self._probes: dict[str, ContainerProbes] = {}
        self._watchers: dict[str, asyncio.Task[None]] = {}
        self._ticking_since_s: float | None = None
        self._unseen_end = False

    # Looking

    def begin_look(self) -> None:
        """Let the status show what the last look has found, and readiness be asked where it is missing."""
        news, self._unseen_end = self._unseen_end, False
        for record in self._records:
            if record.refused is not None:
                record.waiting, record.refused = record.refused, None
                news = True
            probes = self._probes.get(record.name)
            if probes is not None and record.running and record.started and not record.ready:
                probes.ask_readiness()
        if news:
            self._on_news()

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
            await starts.start(self._context, record, self._volumes, self._records)
            self._watch(record)
            await self._post_start(record)
        except StartError as error:
            record.waiting = Waiting(error.reason, error.message)
            self._on_step()
            return error.retry_s
        self._on_news()
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
            record.refused = Waiting("CrashLoopBackOff", message)
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
        record.starting, record.announced = False, True
        probes = ContainerProbes(
            record,
            self._context.target(record),
            self._context.node.checks,
            self._on_change,
            lambda reason, message: self._context.tell(record, "Warning", reason, message),
            self._ticking_since_s,
        )
        self._forget_probes(record)
        self._probes[record.name] = probes
        probes.start()

    def _forget_probes(self, record: Record) -> None:
        probes = self._probes.pop(record.name, None)
        if probes is not None:
            probes.stop()

    # Watching

    def _watch(self, record: Record) -> None:
        assert record.container is not None
        exit_noted = self._note_exit(record, record.container)
        self._watchers[record.name] = asyncio.create_task(exit_noted)

    async def _note_exit(self, record: Record, container: Container) -> None:
        status = await container.wait()
        probes = self._probes.get(record.name)
        if probes is not None:
            probes.container_ended()
        record.starting = False
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
        self._unseen_end = True
        self._on_end()

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

    async def reset_all(self) -> None:
        """End all containers but ephemeral ones at once, and forget that they ran: the pod begins again where it is.

        (source: `ContainersToReset` of `kuberuntime_manager.go`)
        """
        kept = [record for record in self._records if record.role != "ephemeral"]

        async def one(record: Record) -> None:
            await stops.stop(self._context, record, "killing", 0.0)
            await self._settled(record)

        await asyncio.gather(*map(one, kept))
        for record in kept:
            if record.lives:
                record.begin_again(RESTARTING_ALL)

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
