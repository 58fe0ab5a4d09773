"""Owns a running embedded cluster: `python -m embedded_kubernetes.control.supervisor`, started by `lifecycle.up`.

It is the parent of every process of the cluster, and the kernel kills them when it ends, however it ends. As long as
it lives it holds the cluster's lock and slot; it answers on the control socket (see `control`).
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import re
import signal
import socket
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..config import ClusterConfig
from ..lock import sign, unsign
from . import added_node, control_plane, health, incidents, readiness
from .component import ComponentProcess
from .watchdog import TICK_S

NODE_GRACE_S = 5.0
"""How long a node has to end its containers when the cluster stops."""

PLANE_GRACE_S = 0.3
"""How long kube-apiserver and its clients have: they hold no state of their own, etcd does."""

_LOG_TAIL_LINES = 6
_UNWANTED_ENV = re.compile(r"(.*_proxy|KUBE.*|GO[A-Z]+)", re.IGNORECASE)


class Supervisor:
    """Starts the components, brings them back, answers requests, stops them all.

    Parameters
    ----------
    config : ClusterConfig
        The cluster, whose keys have been made.
    listener : socket
        The control socket, listening.
    """

    def __init__(self, config: ClusterConfig, listener: socket.socket) -> None:
        self.config = config
        self.listener = listener
        self.state = "starting"
        self.step = "Démarrage d’etcd et du plan de contrôle"
        self.failure: dict[str, str] | None = None
        self.added: str | None = None
        self._changed = asyncio.Event()
        self._end = asyncio.Event()
        self._stopped = asyncio.Event()
        self.components = {
            spec.name: ComponentProcess(
                spec,
                config,
                on_incident=self._incident,
                on_given_up=self._give_up,
                beats=spec.name in config.node_names,
            )
            for spec in control_plane.components(config)
        }

    async def run(self) -> None:
        """Run the cluster until SIGTERM, SIGINT, a request "down" or a component that cannot live."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._end.set)
        server = await asyncio.start_unix_server(self._serve, sock=self.listener)
        starting = asyncio.create_task(self._start())
        starting.add_done_callback(self._end_on_error)
        watching = [asyncio.create_task(self._watch()), *self._listen_to_servers()]
        await self._end.wait()
        for task in (starting, *watching):
            task.cancel()
        self._announce(state="stopping")
        await self._stop_all()
        self._stopped.set()
        self._announce(state="failed" if self.failure else "stopped")
        server.close()
        await asyncio.sleep(0.02)  # the last answers leave

    async def _start(self) -> None:
        """Start each component as soon as it can work: one that starts earlier waits longer than it gains.

        kube-controller-manager looks at `/healthz` once a second, and other clients back off; while the API server
        starts, they would take the processor from it.
        """
        plane = (control_plane.ETCD, control_plane.API_SERVER)
        for name in plane:
            self.components[name].start()
        probe = readiness.ApiProbe(self.config)
        await probe.answering()
        for name in added_node.left_behind(self.config):
            await probe.forget_node(name)
            added_node.delete_files(self.config, name)
        self._announce(step="L’API répond, démarrage du nœud")
        for name in (control_plane.SCHEDULER, *self.config.node_names):
            self.components[name].start()
        await probe.healthy()
        self._announce(step="Démarrage des contrôleurs")
        self.components[control_plane.CONTROLLER_MANAGER].start()
        await probe.usable()
        self._announce(state="running")

    async def _watch(self) -> None:
        """See that what lives works; a gap in this loop is the machine's sleep, not the components' silence."""
        before_s = time.monotonic()
        while True:
            await asyncio.sleep(TICK_S)
            elapsed_s, before_s = time.monotonic() - before_s, time.monotonic()
            for component in tuple(self.components.values()):
                component.look(elapsed_s)

    def _listen_to_servers(self) -> list[asyncio.Task[None]]:
        context = health.client_context(self.config)

        async def listen(name: str, endpoint: health.HealthEndpoint) -> None:
            component = self.components[name]
            # Each life has a watchdog of its own.
            await health.listen(endpoint, context, lambda: component.watchdog.heard())

        return [
            asyncio.create_task(listen(name, endpoint))
            for name, endpoint in health.endpoints(self.config).items()
        ]

    def _end_on_error(self, starting: asyncio.Task[None]) -> None:
        if not starting.cancelled() and (error := starting.exception()) is not None:
            self.failure = {
                "component": "superviseur",
                "what": f"erreur au démarrage : {error!r}",
                "log": str(self.config.path / "logs" / "supervisor.log"),
                "tail": "",
            }
            self._end.set()

    def _announce(self, *, state: str | None = None, step: str | None = None) -> None:
        self.state, self.step = state or self.state, step or self.step
        self._changed.set()
        self._changed = asyncio.Event()

    async def _stop_all(self) -> None:
        """Stop etcd last, so that the others do not complain about it."""
        others = [
            component for name, component in self.components.items() if name != control_plane.ETCD
        ]
        await asyncio.gather(*(component.stop(self._grace_s(component)) for component in others))
        await self.components[control_plane.ETCD].stop(PLANE_GRACE_S)

    def _grace_s(self, component: ComponentProcess) -> float:
        nodes = (*self.config.node_names, self.added)
        return NODE_GRACE_S if component.spec.name in nodes else PLANE_GRACE_S

    def _add_node(self) -> None:
        """Start one more node, unless there is one already: it lives as long as this supervisor at most."""
        if self.added is not None or self.state != "running":
            return
        port = added_node.free_port(self.config)
        name = added_node.with_one_more(self.config, port).node_names[-1]
        added_node.announce(self.config, name)
        self.added = name
        component = self.components[name] = ComponentProcess(
            control_plane.node(self.config, name, port),
            self.config,
            on_incident=self._incident,
            on_given_up=self._incident,  # the cluster goes on without it
            beats=True,
        )
        component.start()
        self._incident(component, "nœud ajouté à la demande")

    async def _remove_node(self) -> None:
        """Stop the node that was added and take it out of the API; nothing happens where there is none."""
        if self.added is None:
            return
        component = self.components[self.added]
        await component.stop(self._grace_s(component))
        await readiness.ApiProbe(self.config).forget_node(component.spec.name)
        if self.components.pop(component.spec.name, None) is not None:  # once, of two that ask
            added_node.delete_files(self.config, component.spec.name)
            self.added = None
            self._incident(component, "nœud retiré à la demande")

    def _incident(self, component: ComponentProcess, what: str) -> None:
        incidents.record(self.config.path, component.spec.name, what)

    def _give_up(self, component: ComponentProcess, how: str) -> None:
        """Stop the whole cluster and leave a clear word: a cluster that misses a part only confuses."""
        lines = (
            component.log.read_text(errors="replace").splitlines() if component.log.exists() else []
        )
        self.failure = {
            "component": component.spec.name,
            "what": how,
            "log": str(component.log),
            "tail": "\n".join(lines[-_LOG_TAIL_LINES:]),
        }
        self._incident(component, f"{self.failure['what']} ; arrêt du cluster")
        with contextlib.suppress(OSError):
            (self.config.path / incidents.FAILURE_FILE).write_text(
                json.dumps(self.failure, ensure_ascii=False)
            )
        self._end.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = json.loads(await reader.readline())
            await self._answer(request, writer)
        except (OSError, ValueError, KeyError):
            pass  # the client went away or does not speak the protocol
        finally:
            writer.close()

    async def _answer(self, request: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        match request["do"]:
            case "wait":
                while self.state in ("starting", "stopping"):
                    changed = self._changed
                    _send(writer, {"step": self.step})
                    await writer.drain()
                    await changed.wait()
            case "down":
                self._end.set()
                await self._stopped.wait()
            case "stop":
                component = self.components[request["component"]]
                await component.stop(self._grace_s(component))
                self._incident(component, "arrêté à la demande")
            case "start":
                component = self.components[request["component"]]
                if not component.wanted:
                    specs = control_plane.components(self.config)
                    again = (spec for spec in specs if spec.name == component.spec.name)
                    component.spec = next(again, component.spec)
                    component.start()
                    self._incident(component, "redémarré à la demande")
            case "add node":
                self._add_node()
            case "remove node":
                await self._remove_node()
        _send(writer, self._status())
        await writer.drain()

    def _status(self) -> dict[str, Any]:
        return {
            "state": self.state,
            "failure": self.failure,
            "pid": os.getpid(),
            "added": self.added,
            "tasks": len(asyncio.all_tasks()),
            "components": {
                name: {
                    "pid": component.pid,
                    "wanted": component.wanted,
                    "restarts": component.restarts,
                    "trouble": component.trouble(),
                    "beat": component.beat,
                }
                for name, component in self.components.items()
            },
        }


def _send(writer: asyncio.StreamWriter, message: dict[str, Any]) -> None:
    writer.write(json.dumps(message).encode() + b"\n")


def main(argv: Sequence[str] | None = None) -> None:
    """Become a daemon and run the cluster in a folder.

    The lock, the slot and the control socket come as open descriptors from `lifecycle.up`, so there is no moment at
    which a second `up` could take them.
    """
    parser = argparse.ArgumentParser(prog="supervisor")
    parser.add_argument("--directory", type=Path, required=True)
    parser.add_argument("--lock-fd", type=int, required=True)
    parser.add_argument("--slot-fd", type=int, required=True)
    parser.add_argument("--socket-fd", type=int, required=True)
    arguments = parser.parse_args(argv)
    if os.fork():
        os._exit(0)  # the daemon belongs to nobody: a notebook kernel that ends leaves no zombie
    for descriptor in (arguments.lock_fd, arguments.slot_fd, arguments.socket_fd):
        os.set_inheritable(descriptor, False)
    sign(arguments.lock_fd)
    for name in [name for name in os.environ if _UNWANTED_ENV.fullmatch(name)]:
        del os.environ[name]
    config = ClusterConfig.load(arguments.directory)
    listener = socket.socket(fileno=arguments.socket_fd)

    async def supervise() -> None:
        await Supervisor(config, listener).run()

    asyncio.run(supervise())
    unsign(arguments.lock_fd)


if __name__ == "__main__":
    main()
