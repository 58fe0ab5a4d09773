"""A pod's resolver configuration: what a kubelet makes of `dnsPolicy`, `dnsConfig` and this machine's own file.

(source: `pkg/kubelet/network/dns/dns.go`; the file's layout: containerd, `parseDNSOptions`)
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...paths import variable
from .answers import DOMAIN

_MOST_NAMESERVERS = 3
_MOST_SEARCHES = 32
_LONGEST_SEARCH_LINE = 2048
_LONGEST_DOMAIN = 253
_CLUSTER_OPTIONS = ("ndots:5",)
_RESOLV_CONF = Path("/etc/resolv.conf")
_BEHIND_SYSTEMD = Path("/run/systemd/resolve/resolv.conf")
_STUB = "127.0.0.53"
"""Where systemd-resolved answers; the servers that it asks itself are in its own file."""


@dataclass(frozen=True)
class ResolverConfig:
    """What a resolver is told."""

    nameservers: tuple[str, ...] = ()
    searches: tuple[str, ...] = ()
    options: tuple[str, ...] = ()

    def render(self) -> str:
        """Return it as a `resolv.conf`."""
        lines = [f"nameserver {address}" for address in self.nameservers]
        if self.searches:
            lines.insert(0, f"search {' '.join(self.searches)}")
        if self.options:
            lines.append(f"options {' '.join(self.options)}")
        return "".join(f"{line}\n" for line in lines)


def parse(text: str) -> ResolverConfig:
    """Read a `resolv.conf` as a kubelet does: of several search lines the last one holds."""
    nameservers: list[str] = []
    searches: tuple[str, ...] = ()
    options: dict[str, str] = {}
    for line in text.splitlines():
        word, *values = line.split() or ("",)
        if word == "nameserver" and values:
            nameservers.append(values[0])
        elif word == "search":
            searches = tuple(value.removesuffix(".") for value in values if value != ".")
        elif word == "options":
            options.update((value.partition(":")[0], value) for value in values)
    return ResolverConfig(tuple(nameservers), searches, tuple(options.values()))


def machine_file() -> Path:
    """Return the file that says whom this machine asks for names.

    The variable `…_RESOLV_CONF` names another one, as `resolvConf` of a kubelet does. Where systemd-resolved answers
    for the machine, it is the file with the servers behind it, which kubeadm gives its kubelets too.
    """
    named = os.environ.get(variable("RESOLV_CONF"))
    if named:
        return Path(named)
    if _STUB in read(_RESOLV_CONF).nameservers and read(_BEHIND_SYSTEMD).nameservers:
        return _BEHIND_SYSTEMD
    return _RESOLV_CONF


def read(path: Path) -> ResolverConfig:
    """Return what a file says; nothing where it cannot be read."""
    try:
        return parse(path.read_text(errors="replace"))
    except OSError:
        return ResolverConfig()


def of_pod(
    pod: dict[str, Any], machine: ResolverConfig, cluster_dns: str
) -> tuple[ResolverConfig, tuple[str, ...]]:
    """Return a pod's resolver configuration, and what an event (`DNSConfigForming`) says of what it cannot have.

    Parameters
    ----------
    pod : dict
        The pod.
    machine : ResolverConfig
        This machine's own.
    cluster_dns : str
        Where the cluster's DNS answers.
    """
    spec = pod["spec"]
    policy = spec.get("dnsPolicy", "ClusterFirst")
    if policy == "ClusterFirst" and spec.get("hostNetwork"):
        policy = "Default"
    if policy == "None":
        config = ResolverConfig()
    elif policy == "Default":
        config = _reachable(machine, cluster_dns)
    else:
        namespace = pod["metadata"]["namespace"]
        own = (f"{namespace}.svc.{DOMAIN}", f"svc.{DOMAIN}", DOMAIN)
        searches = _distinct((*own, *machine.searches))
        config = ResolverConfig((cluster_dns,), searches, _CLUSTER_OPTIONS)
    return _within_limits(_with(config, spec.get("dnsConfig") or {}))


def _reachable(machine: ResolverConfig, cluster_dns: str) -> ResolverConfig:
    """Return a machine's configuration for a pod's network.

    From there nobody on the machine's loopback can be reached: the cluster's DNS asks them instead.
    """
    nameservers = (
        cluster_dns if _is_loopback(address) else address for address in machine.nameservers
    )
    return ResolverConfig(_distinct(nameservers), machine.searches, machine.options)


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address.partition("%")[0]).is_loopback
    except ValueError:
        return False


def _with(config: ResolverConfig, extra: dict[str, Any]) -> ResolverConfig:
    """Add what `dnsConfig` says; of two options of one name its own holds."""
    options = dict(_option(text) for text in config.options)
    for option in extra.get("options") or ():
        options[option["name"]] = option.get("value") or ""
    return ResolverConfig(
        _distinct((*config.nameservers, *(extra.get("nameservers") or ()))),
        _distinct((*config.searches, *(extra.get("searches") or ()))),
        tuple(f"{name}:{value}" if value else name for name, value in options.items()),
    )


def _option(text: str) -> tuple[str, str]:
    name, _, value = text.partition(":")
    return name, value


def _within_limits(config: ResolverConfig) -> tuple[ResolverConfig, tuple[str, ...]]:
    messages = []
    nameservers = config.nameservers[:_MOST_NAMESERVERS]
    if nameservers != config.nameservers:
        messages.append(
            "Nameserver limits were exceeded, some nameservers have been omitted, "
            f"the applied nameserver line is: {' '.join(nameservers)}"
        )
    searches = tuple(
        domain for domain in config.searches[:_MOST_SEARCHES] if len(domain) <= _LONGEST_DOMAIN
    )
    while len(" ".join(searches)) > _LONGEST_SEARCH_LINE:
        searches = searches[:-1]
    if searches != config.searches:
        messages.append(
            "Search Line limits were exceeded, some search paths have been omitted, "
            f"the applied search line is: {' '.join(searches)}"
        )
    return ResolverConfig(nameservers, searches, config.options), tuple(messages)


def _distinct(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))
