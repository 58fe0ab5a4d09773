"""The agent: the pods that are bound to this node, each with a worker of its own.

It is also what the node's other services look pods up with (see `streams.PodLookup`).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..api import Api, Informer
from ..cri import Container, Usage
from ..records import Object, Record
from ..runtime.users.ranges import delete
from .context import NodeContext
from .starts import log_path
from .worker import PodWorker

_log = logging.getLogger(__name__)


class Agent:
    """The pods of one node.

    Parameters
    ----------
    api : Api
        With the node's identity.
    node_name : str
        The node.
    folder : Path
        `nodes/<node>`.
    """

    def __init__(self, api: Api, node_name: str, folder: Path) -> None:
        self._node: NodeContext | None = None
        self._folder = folder
        self._informer = Informer(
            api,
            "/api/v1/pods",
            on_change=self._changed,
            params={"fieldSelector": f"spec.nodeName={node_name}"},
        )
        self._workers: dict[str, PodWorker] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def start(self, node: NodeContext) -> None:
        """Begin to take care of the node's pods."""
        self._node = node
        await self._informer.start()

    async def settled(self) -> None:
        """Return once the first list is there and the folders of pods that are gone are deleted."""
        await self._informer.synced()
        pods = self._folder / "pods"
        if pods.is_dir():
            for left in pods.iterdir():
                if left.name not in self._workers:
                    await asyncio.to_thread(delete, left)

    async def close(self) -> None:
        """Leave the pods as they are: their containers end with the runtime."""
        await self._informer.close()
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def object_changed(self, resource: str, namespace: str, name: str) -> None:
        """Tell the pods of a namespace that a ConfigMap or Secret has changed."""
        for worker in self._workers.values():
            if worker.context.namespace == namespace:
                worker.object_changed(resource, name)

    def active_pods(self) -> list[Object]:
        """Return the pods that take resources of the node."""
        return [worker.context.pod for worker in self._workers.values() if worker.active]

    def _changed(self, kind: str, pod: Object) -> None:
        assert self._node is not None
        uid = pod["metadata"]["uid"]
        worker = self._workers.get(uid)
        if kind == "DELETED":
            if worker is not None:
                worker.vanish()
            return
        if worker is not None:
            worker.update(pod)
            return
        worker = self._workers[uid] = PodWorker(self._node, pod)
        task = asyncio.create_task(worker.run(), name=f"worker {uid}")
        self._tasks[uid] = task
        task.add_done_callback(lambda done: self._ended(uid, done))

    def _ended(self, uid: str, task: asyncio.Task[None]) -> None:
        self._workers.pop(uid, None)
        self._tasks.pop(uid, None)
        if not task.cancelled() and task.exception() is not None:
            _log.error("worker %s", uid, exc_info=task.exception())
        for worker in self._workers.values():
            worker.nudge()

    # PodLookup

    def all_pods(self) -> Sequence[Object]:
        """Return the pods of this node as the API shows them."""
        return list(self._informer.items.values())

    def pod(self, namespace: str, name: str) -> Object | None:
        """Return one pod of this node."""
        return self._informer.items.get((namespace, name))

    def containers(self, namespace: str, pod: str) -> Mapping[str, Container]:
        """Return the last started container of each name."""
        worker = self._worker(namespace, pod)
        return {} if worker is None else worker.containers()

    def container(self, namespace: str, pod: str, name: str) -> Container | None:
        """Return the last started container of that name."""
        return self.containers(namespace, pod).get(name)

    def log_path(self, namespace: str, pod: str, container: str, previous: bool) -> Path | None:
        """Return the log of a container's last life, or of the one before it."""
        known = self.pod(namespace, pod)
        if known is None:
            return None
        folder = self._folder / "pods" / known["metadata"]["uid"]
        logs = log_path(folder, container, 0).parent
        if not logs.is_dir():
            return None
        lives = sorted(int(path.stem) for path in logs.glob("*.log"))
        record = self._record(namespace, pod, container)
        if record is not None and record.starting and record.lives == 1 and not previous:
            return None  # its postStart hook is not over
        # While it waits, the life that has just ended is the previous one already.
        waits = record is not None and record.exited is not None and record.waiting is not None
        wanted = lives[-2:-1] if previous and not waits else lives[-1:]
        return log_path(folder, container, wanted[0]) if wanted else None

    def usage(self) -> Mapping[tuple[str, str, str], Usage]:
        """Return what every running container uses now."""
        return {
            (
                worker.context.namespace,
                worker.context.pod["metadata"]["name"],
                name,
            ): container.usage()
            for worker in self._workers.values()
            for name, container in worker.containers().items()
            if container.running()
        }

    def _record(self, namespace: str, pod: str, container: str) -> Record | None:
        worker = self._worker(namespace, pod)
        records = () if worker is None else worker.records
        return next((record for record in records if record.name == container), None)

    def _worker(self, namespace: str, name: str) -> PodWorker | None:
        pod = self.pod(namespace, name)
        return None if pod is None else self._workers.get(pod["metadata"]["uid"])
