"""A whole node: runtime, agent, registration, and the services that a cluster's nodes give."""

from __future__ import annotations

import functools
from contextlib import AsyncExitStack
from typing import Protocol, TypeVar

from ..config import ClusterConfig
from .api import Api
from .events import EventRecorder
from .heart import Heart
from .network.addresses import Addresses
from .objects import Objects
from .pods.agent import Agent
from .pods.context import NodeContext
from .pods.pulls import Puller
from .probes.checks import Checks
from .proxy.host_ports import HostPorts
from .proxy.service_table import ServiceTable
from .records import Object
from .registration import Registration, capacity
from .rules.restarts import BackOff
from .runtime.runtime import ProcessRuntime
from .services import NodeServices
from .storage.pod_certificates import PodCertificates
from .storage.tokens import Tokens


class _Part(Protocol):
    async def start(self) -> None: ...

    async def close(self) -> None: ...


P = TypeVar("P", bound=_Part)


async def start(config: ClusterConfig, name: str, heart: Heart, stack: AsyncExitStack) -> None:
    """Start a node: everything up, Ready in the API, its pods taken care of.

    Parameters
    ----------
    config : ClusterConfig
        The cluster.
    name : str
        One of `config.node_names`; the first one also serves the whole cluster.
    heart : Heart
        Told of the spawner, once there is one.
    stack : AsyncExitStack
        Closes what was started, in the reverse order.

    Raises
    ------
    OSError
        A port is taken.
    ContainerStartError
        The runtime does not start.
    """
    folder = config.path / "nodes" / name
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    api, services_api = Api(config, name), Api(config, "services")
    stack.push_async_callback(api.close)
    stack.push_async_callback(services_api.close)
    runtime = await _started(stack, ProcessRuntime(config, name))
    heart.runtime = runtime
    recorder = await _started(stack, EventRecorder(api, "kubelet", name))
    services_recorder = await _started(stack, EventRecorder(services_api, "node-services", name))
    agent = Agent(api, name, folder)
    allocatable = capacity(folder)
    services = NodeServices(
        config,
        name,
        services_api,
        agent,
        services_recorder.record,
        runtime.sockets,
        runtime.in_network,
    )
    objects = await _started(stack, Objects(services_api, agent.object_changed))
    host_ports = await _started(stack, HostPorts(config, name, runtime.sockets, recorder.record))
    puller = Puller(runtime.store, functools.partial(objects.get, "secrets"))
    stack.push_async_callback(puller.close)
    checks = Checks(_minor(config.kubernetes_version), runtime.sockets)
    stack.push_async_callback(checks.close)
    registration = Registration(config, name, api, allocatable, runtime.isolation, runtime.images)
    await _started(stack, services)
    await _started(stack, registration)
    await services.table.synced()
    node = NodeContext(
        config=config,
        name=name,
        folder=folder,
        api=api,
        runtime=runtime,
        recorder=recorder,
        objects=objects,
        tokens=Tokens(api),
        certificates=PodCertificates(api, registration.reference),
        puller=puller,
        back_off=BackOff(),
        checks=checks,
        names=services.names,
        host_ports=host_ports,
        addresses=Addresses(config, config.node_names.index(name)),
        allocatable=allocatable,
        services=lambda: _all_services(services.table),
        pods=agent.active_pods,
    )
    stack.push_async_callback(agent.close)
    await agent.start(node)
    recorder.record(registration.reference(), "Normal", "Starting", "Starting kubelet.")
    await agent.settled()


async def _started(stack: AsyncExitStack, part: P) -> P:
    await part.start()
    stack.push_async_callback(part.close)
    return part


def _minor(version: str) -> str:
    """Return `1.37` of `v1.37.0`."""
    return ".".join(version.removeprefix("v").split(".")[:2])


def _all_services(table: ServiceTable) -> tuple[Object, ...]:
    services = (table.service(key) for key in table.keys())  # noqa: SIM118
    return tuple(service for service in services if service is not None)
