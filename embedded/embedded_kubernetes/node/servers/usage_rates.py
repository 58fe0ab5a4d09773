"""From counters to rates: what containers and nodes use between two looks at them (pure)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

_SHORTEST_LIFE_S = 0.2
"""A container younger than this has no rate yet."""


@dataclass(frozen=True)
class Counter:
    """One look at what something uses."""

    wall_s: float
    cpu_seconds: float
    memory_bytes: int
    started_wall_s: float


@dataclass(frozen=True)
class UsageSample:
    """One look at a whole cluster."""

    wall_s: float
    agents: dict[str, Counter]
    """Node → its agent's own counter."""
    pods: dict[tuple[str, str], dict[str, Counter]]
    """(namespace, pod) → container → counter."""
    node_of: dict[tuple[str, str], str]
    labels: dict[tuple[str, str], dict[str, str]]


@dataclass(frozen=True)
class Rate:
    """What something used per second over a window, and the memory at its end."""

    cpu_cores: float
    memory_bytes: int


def rate(now: Counter, before: Counter | None) -> Rate | None:
    """Return the rate between two looks; since its start for what started in between.

    None where it is too young to tell.
    """
    if before is None or before.started_wall_s != now.started_wall_s:
        before = Counter(now.started_wall_s, 0.0, 0, now.started_wall_s)
    elapsed_s = now.wall_s - before.wall_s
    if elapsed_s < _SHORTEST_LIFE_S:
        return None
    return Rate(max(0.0, now.cpu_seconds - before.cpu_seconds) / elapsed_s, now.memory_bytes)


def merge(
    wall_s: float, summaries: Iterable[dict[str, Any]], pods: Iterable[dict[str, Any]]
) -> UsageSample:
    """Return one sample from the `/stats/summary` of every node and their pods."""
    agents: dict[str, Counter] = {}
    node_of: dict[tuple[str, str], str] = {}
    counters: dict[tuple[str, str], dict[str, Counter]] = {}
    for summary in summaries:
        node = summary["node"]["nodeName"]
        agents[node] = _counter(summary["node"]["systemContainers"][0])
        for pod in summary["pods"]:
            key = (pod["podRef"]["namespace"], pod["podRef"]["name"])
            node_of[key] = node
            counters[key] = {item["name"]: _counter(item) for item in pod["containers"]}
    labels = {
        (pod["metadata"]["namespace"], pod["metadata"]["name"]): pod["metadata"].get("labels") or {}
        for pod in pods
    }
    return UsageSample(wall_s, agents, counters, node_of, labels)


def _counter(item: dict[str, Any]) -> Counter:
    return Counter(
        wall_s=_wall_s(item["cpu"]["time"]),
        cpu_seconds=item["cpu"]["usageCoreNanoSeconds"] / 1e9,
        memory_bytes=item["memory"]["workingSetBytes"],
        started_wall_s=_wall_s(item["startTime"]),
    )


def _wall_s(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()


def pod_rates(
    base: UsageSample, latest: UsageSample, key: tuple[str, str]
) -> dict[str, Rate] | None:
    """Return what each container of a pod used; None where one of them is too young to tell."""
    earlier = base.pods.get(key, {})
    rates = {name: rate(now, earlier.get(name)) for name, now in latest.pods[key].items()}
    known = {name: used for name, used in rates.items() if used is not None}
    return known if len(known) == len(rates) else None


def node_rate(base: UsageSample, latest: UsageSample, node: str) -> Rate | None:
    """Return what a node used: its agent and its containers."""
    agent = rate(latest.agents[node], base.agents.get(node))
    if agent is None:
        return None
    cpu_cores, memory_bytes = agent.cpu_cores, agent.memory_bytes
    for key in (key for key, where in latest.node_of.items() if where == node):
        for used in (pod_rates(base, latest, key) or {}).values():
            cpu_cores += used.cpu_cores
            memory_bytes += used.memory_bytes
    return Rate(cpu_cores, memory_bytes)


def choose_base(
    samples: list[UsageSample], shortest_s: float, longest_s: float
) -> UsageSample | None:
    """Return the newest earlier sample that leaves a window between the two bounds."""
    latest = samples[-1]
    for sample in reversed(samples[:-1]):
        if shortest_s <= latest.wall_s - sample.wall_s <= longest_s:
            return sample
    return None
