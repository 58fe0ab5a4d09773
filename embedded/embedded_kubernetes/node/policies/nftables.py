"""The rules of nftables that hold pods to what policies leave them: text for `nft -f -`.

What goes from pod to pod is forwarded; what goes through a Service leaves the node's network with the client's address.
Both meet the same rules, one chain for each isolated pod and direction. What comes from no pod is the node's, which is
always let through, as its kubelet must be.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from .isolation import LAST_PORT, Allowance, Allowances, Isolation, Ports

TABLE = "network_policies"

_FORGET = f"add table ip {TABLE}\ndelete table ip {TABLE}\n"
"""Deletes the table whether or not it is there."""


class Blocked(NamedTuple):
    """A pod that may connect to no endpoint behind an address and port of the node's."""

    source: str
    address: str
    protocol: str
    port: int


def no_rules() -> str:
    """Return what takes all rules away."""
    return _FORGET


def ruleset(
    isolated: Mapping[str, Isolation],
    pod_cidr: str,
    own: Iterable[str],
    blocked: Iterable[Blocked],
) -> str:
    """Return what replaces all rules, at once.

    Parameters
    ----------
    isolated : mapping
        What policies leave, by a pod's address.
    pod_cidr : str
        Where pods' addresses are.
    own : iterable of str
        The node's addresses among them.
    blocked : iterable of Blocked
        What is stopped before the Service proxy accepts it.
    """
    outward = {address: pod.egress for address, pod in isolated.items() if pod.egress is not None}
    inward = {address: pod.ingress for address, pod in isolated.items() if pod.ingress is not None}
    checks = [
        "ct state established,related accept",
        f"ip saddr != {pod_cidr} accept",
        f"ip saddr {{ {', '.join(own)} }} accept",
        *_dispatch("egress", "saddr", outward),
        *_dispatch("ingress", "daddr", inward),
    ]
    elements = sorted(
        f"{b.source} . {b.address} . {b.protocol.lower()} . {b.port}" for b in blocked
    )
    stops = []
    if elements:
        wanted = f"ip saddr . ip daddr . meta l4proto . th dport {{ {', '.join(elements)} }}"
        stops = ["ct state established,related accept", f"{wanted} drop"]
    chains = [
        *(_chain(_name("egress", pod), _rules("daddr", of)) for pod, of in outward.items()),
        *(_chain(_name("ingress", pod), _rules("saddr", of)) for pod, of in inward.items()),
        _chain("checks", checks),
        *(
            _chain(hook, [f"type filter hook {hook} priority 0; policy accept;", *rules])
            for hook, rules in (
                ("forward", ["jump checks"]),
                ("output", ["jump checks"]),
                ("input", stops),
            )
        ),
    ]
    return f"{_FORGET}table ip {TABLE} {{\n{''.join(chains)}}}\n"


def _name(direction: str, address: str) -> str:
    return f"{direction}_{address.replace('.', '_')}"


def _chain(name: str, rules: Iterable[str]) -> str:
    lines = "".join(f"\t\t{rule}\n" for rule in rules)
    return f"\tchain {name} {{\n{lines}\t}}\n"


def _dispatch(direction: str, end: str, pods: Iterable[str]) -> list[str]:
    """Return the rule that sends a packet to its pod's own chain."""
    ways = ", ".join(f"{address} : jump {_name(direction, address)}" for address in pods)
    return [f"ip {end} vmap {{ {ways} }}"] if ways else []


def _rules(other: str, allowances: Allowances) -> list[str]:
    """Return one pod's chain in one direction: what returns goes on, the rest is dropped."""
    kept = [
        f"{who}{what}return"
        for allowance in allowances
        for who in _ends(other, allowance)
        for what in _ports(allowance.ports)
    ]
    return [*kept, "drop"]


def _ends(other: str, allowance: Allowance) -> list[str]:
    if allowance.pods is None:
        return [""]
    ends = []
    if allowance.pods:
        ends.append(f"ip {other} {{ {', '.join(sorted(allowance.pods))} }} ")
    for block in allowance.blocks:
        out = "".join(f"ip {other} != {part} " for part in block.exceptions)
        ends.append(f"ip {other} {block.cidr} {out}")
    return ends


def _ports(ports: tuple[Ports, ...] | None) -> list[str]:
    if ports is None:
        return [""]
    return [
        f"meta l4proto {p.protocol.lower()} "
        if (p.first, p.last) == (0, LAST_PORT)
        else f"{p.protocol.lower()} dport {p.first}-{p.last} "
        if p.first != p.last
        else f"{p.protocol.lower()} dport {p.first} "
        for p in ports
    ]
