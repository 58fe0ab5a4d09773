"""How the pods' network is laid: the node's namespace in the middle, one cable from it to each pod.

The node's namespace has every ClusterIP as its own, so that the Service proxy can listen there, and forwards from pod
to pod. The proxy speaks to a server from its client's address: the server's answers are led back to it by their
destination port, which is the node's alone, as pods take theirs from below. A pod has a /32 and reaches all others
through its cable; nothing of it is seen beyond.

Runs in the network process: only `os` and system calls.
"""

# Loaded by the spawner, which must stay small: no contextlib.
# ruff: noqa: SIM105

from __future__ import annotations

import _socket
import errno
import os
from typing import TYPE_CHECKING

from .. import syscalls as linux
from . import netlink

if TYPE_CHECKING:
    from typing import TypedDict

    class NodeNetwork(TypedDict):
        """What a node's namespace has (plain data: it crosses a socket)."""

        service_cidr: str
        gateway: str
        """What pods see as the source of what comes from no pod."""
        addresses: list[str]
        """The node's own."""

    class PodNetwork(TypedDict):
        """What a pod's namespaces are made of."""

        hostname: str
        address: str
        """"" for a pod that lives in its node's network."""
        gateway: str
        sysctls: dict[str, str]


POD_NAMESPACES = ("net", "uts", "ipc")
"""Those that the containers of a pod share, in the order of their descriptors."""

NODE_PORTS = (49152, 65534)
POD_PORTS = (32768, 49151)
"""What outgoing connections take: none of a pod's is ever one of the node's."""

_NEXT_HOP = "169.254.1.1"
_LOOPBACK = 1
"""Index of `lo`, the first link of every namespace."""
_PROXY_TABLE = 100
_KINDS = {"net": linux.CLONE_NEWNET, "uts": linux.CLONE_NEWUTS, "ipc": linux.CLONE_NEWIPC}

_NODE_SYSCTLS = {
    "net.ipv4.ip_forward": "1",
    "net.ipv4.conf.all.rp_filter": "0",
    "net.ipv4.conf.default.rp_filter": "0",
    "net.ipv4.ip_local_port_range": "{} {}".format(*NODE_PORTS),
    "net.ipv4.ip_unprivileged_port_start": "0",
    "net.ipv4.tcp_tw_reuse": "1",
}
_POD_SYSCTLS = {
    "net.ipv4.ip_local_port_range": "{} {}".format(*POD_PORTS),
    "net.ipv4.ip_unprivileged_port_start": "0",
}
_PING_GROUPS = ("0 2147483647", "0 65535", "0 0")
"""Who may send pings without privileges: all groups that there are, which the kernel does not let one ask for."""
_NO_IPV6 = "net.ipv6.conf.default.disable_ipv6"
"""Of links to come: `lo` keeps ::1."""


def lay_node(links: netlink.Netlink, node: NodeNetwork) -> None:
    """Make this namespace a node's; what it has already stays.

    Parameters
    ----------
    links : Netlink
        Of this namespace.
    node : NodeNetwork
        What it is to have.

    Raises
    ------
    OSError
        The kernel refuses; `filename` names what.
    """
    for name, value in _NODE_SYSCTLS.items():
        set_sysctl(name, value)
    _set_where_it_is(_NO_IPV6, "1")
    own = [
        netlink.address(_LOOPBACK, ip) for ip in (node["gateway"], *node["addresses"], _NEXT_HOP)
    ]
    links.do(
        netlink.link_up(_LOOPBACK),
        *own,
        netlink.route(
            node["service_cidr"], _LOOPBACK, kind=netlink.LOCAL, scope=netlink.SCOPE_HOST, table=255
        ),
        netlink.route(
            "0.0.0.0/0",
            _LOOPBACK,
            kind=netlink.LOCAL,
            scope=netlink.SCOPE_HOST,
            table=_PROXY_TABLE,
        ),
    )
    for protocol in (_socket.IPPROTO_TCP, _socket.IPPROTO_UDP):
        # What the node itself sends to such a port of a pod is no answer.
        sent = netlink.rule(
            _PROXY_TABLE - 1,
            netlink.TABLE_MAIN,
            protocol=protocol,
            ports=NODE_PORTS,
            incoming="lo",
        )
        answers = netlink.rule(_PROXY_TABLE, _PROXY_TABLE, protocol=protocol, ports=NODE_PORTS)
        links.do(sent, answers, ignored=errno.EEXIST)


def lay_uplink(links: netlink.Netlink, name: str, address: str, gateway: str) -> None:
    """Lead what is for nobody here to a link, whose other end asks for each pod's address as for the node's own.

    Parameters
    ----------
    links : Netlink
        Of this namespace.
    name, address : str
        The link, and what the node is called there.
    gateway : str
        The other end.
    """
    set_sysctl(f"net.ipv4.conf.{name}.proxy_arp", "1")
    set_sysctl(f"net.ipv4.neigh.{name}.proxy_delay", "0")
    index = _socket.if_nametoindex(name)
    links.do(
        netlink.link_up(index),
        netlink.address(index, address),
        netlink.route(f"{gateway}/32", index),
        netlink.route(
            "0.0.0.0/0", index, gateway=gateway, scope=netlink.SCOPE_GLOBAL, source=address
        ),
    )


def make_pod(links: netlink.Netlink, home: list[int], pod: PodNetwork) -> list[int]:
    """Make the namespaces of a pod and its cable; return their descriptors, as `POD_NAMESPACES` has them.

    Parameters
    ----------
    links : Netlink
        Of the node's namespace, which the caller is in, and is in again afterwards.
    home : list of int
        The caller's own namespaces, in the same order.
    pod : PodNetwork
        What the pod has.

    Raises
    ------
    OSError
        The kernel refuses; `filename` names what. Nothing is left of the pod.
    """
    address = pod["address"]
    made: list[int] = []
    try:
        linux.unshare(
            linux.CLONE_NEWUTS | linux.CLONE_NEWIPC | (linux.CLONE_NEWNET if address else 0)
        )
        made = own_namespaces()
        linux.set_hostname(pod["hostname"])
        name = "v" + os.urandom(6).hex()
        if address:
            _lay_pod(address, name, home[0])
        for sysctl, value in pod["sysctls"].items():
            set_sysctl(sysctl, value)
        enter(home)
        if address:
            # A cable of the same address may be on its way out: its route is replaced.
            index = _socket.if_nametoindex(name)
            links.do(
                netlink.link_up(index),
                netlink.route(f"{address}/32", index, source=pod["gateway"]),
            )
    except BaseException:
        close(made)
        enter(home)
        raise
    return made


def _lay_pod(address: str, name: str, node: int) -> None:
    _set_where_it_is(_NO_IPV6, "1")
    for sysctl, value in _POD_SYSCTLS.items():
        set_sysctl(sysctl, value)
    _let_all_ping()
    links = netlink.Netlink()
    try:
        links.do(netlink.link_up(_LOOPBACK), netlink.veth("eth0", name, node))
        index = _socket.if_nametoindex("eth0")
        links.do(
            netlink.address(index, address),
            netlink.route(f"{_NEXT_HOP}/32", index),
            netlink.route(
                "0.0.0.0/0", index, gateway=_NEXT_HOP, scope=netlink.SCOPE_GLOBAL, source=address
            ),
        )
    finally:
        links.close()


def _let_all_ping() -> None:
    for groups in _PING_GROUPS:
        try:
            set_sysctl("net.ipv4.ping_group_range", groups)
        except OSError as error:
            if error.errno != errno.EINVAL or groups == _PING_GROUPS[-1]:
                raise
        else:
            return


def own_namespaces() -> list[int]:
    """Open the namespaces that this process is in, as `POD_NAMESPACES` has them."""
    return [os.open(f"/proc/self/ns/{name}", os.O_RDONLY) for name in POD_NAMESPACES]


def enter(namespaces: list[int]) -> None:
    """Go into the namespaces of a pod."""
    for name, descriptor in zip(POD_NAMESPACES, namespaces, strict=False):
        linux.enter_namespace(descriptor, _KINDS[name])


def close(descriptors: list[int]) -> None:
    """Close descriptors."""
    for descriptor in descriptors:
        os.close(descriptor)


def set_sysctl(name: str, value: str) -> None:
    """Write a setting of the kernel's, of the namespaces that this process is in.

    Raises
    ------
    OSError
        It cannot be; `filename` names it.
    """
    path = f"/proc/sys/{name.replace('.', '/')}"
    descriptor = os.open(path, os.O_WRONLY)
    try:
        os.write(descriptor, value.encode())
    except OSError as error:
        raise OSError(error.errno, error.strerror, path) from None
    finally:
        os.close(descriptor)


def _set_where_it_is(name: str, value: str) -> None:
    try:
        set_sysctl(name, value)
    except FileNotFoundError:
        pass  # a kernel without IPv6
