"""Going into the namespaces that containers need, and trying first whether the kernel lets this very program.

What `unshare(1)` may do says little: AppArmor allows and refuses by program, a container platform may grant the
namespaces and refuse the mounts, and there is no way back from the first of them. So a child does all that a container
does, and only its word that it arrived counts.

Runs in the spawner and, for `node.isolation.refusal`, by itself in the same way: only `os` and system calls.
"""

# Loaded by the spawner, which must stay small: no pathlib.
# ruff: noqa: PTH102

from __future__ import annotations

import _socket
import json
import marshal
import os
import sys
from typing import TYPE_CHECKING

from . import rootfs
from . import syscalls as linux
from .layers import copying, overlay
from .pod_network import layout, netlink
from .users import id_maps

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, NoReturn

    Refusal = tuple[int, str, str]
    """Error number (0 where there is none), the kernel's words, and what was refused: a call or a path."""

_ARRIVED = "arrived"
_IP_TRANSPARENT = 19  # linux/in.h


def isolate(
    settings: dict[str, Any], joined: Sequence[int] = ()
) -> tuple[rootfs.BoundPrograms | None, str]:
    """Go into namespaces; return the host's programs as bound there, or None and why it cannot be done.

    Parameters
    ----------
    settings : dict
        See `spawner.Spawner`.
    joined : sequence of int
        See `spawner.Spawner`.
    """
    if settings["prefix"]:
        return None, "asked to do without"
    # A cluster whose pods have a network has tried all of it once, and cannot live without.
    refusal = None if settings["network"] else tried(settings)
    try:
        if refusal is None:
            return _go_apart(settings, joined), ""
    except OSError as error:
        refusal = _words(error)
    number, words, what = refusal
    return None, f"{what}: {words} (errno {number})"


def tried(settings: dict[str, Any], *, network: bool = False) -> Refusal | None:
    """Let a child go into all the namespaces of a container; return what stopped it, or None.

    Parameters
    ----------
    settings : dict
        See `spawner.Spawner`.
    network : bool
        Whether the container has a network of its own, in that of a node.
    """
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        _try({**settings, "network": network}, writing)
    os.close(writing)
    said = b""
    while part := os.read(reading, 4096):
        said += part
    os.close(reading)
    _, status = os.waitpid(pid, 0)
    if not said:
        return 0, f"its process ended without a word (status {status})", "clone"
    answer: Refusal | str = marshal.loads(said)
    return None if isinstance(answer, str) else answer


def overlay_refusal(folder: str) -> str:
    """Try in a child whether layers of images can be mounted below a folder; return what stops it, or ""."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        place = f"{folder}/overlay-{os.getpid()}"
        try:
            linux.unshare(linux.CLONE_NEWNS)
            os.mkdir(place)
            overlay.attempt(place)
            copying.remove(place)
        except OSError as error:
            os.write(writing, f"{error.filename}: {error.strerror} (errno {error.errno})".encode())
        finally:
            os._exit(0)
    os.close(writing)
    said = os.read(reading, 4096).decode()
    os.close(reading)
    os.waitpid(pid, 0)
    return said


def _try(settings: dict[str, Any], writing: int) -> NoReturn:
    try:
        base = _go_apart(settings, ())
        namespaces = _try_network() if settings["network"] else []
        child = linux.clone(rootfs.IN_SANDBOX if namespaces else rootfs.NAMESPACES)
        if child == 0:
            layout.enter(namespaces)
            rootfs.enter(base, _trial_view(settings["trial"]))
            os.write(writing, marshal.dumps(_ARRIVED))
        else:
            os.waitpid(child, 0)
    except OSError as error:
        os.write(writing, marshal.dumps(_words(error)))
    except BaseException as error:
        os.write(writing, marshal.dumps((0, repr(error), type(error).__name__)))
    os._exit(0)


def _try_network() -> list[int]:
    """Do in new namespaces what a node's network, a pod's and the Service proxy need; return the pod's namespaces."""
    linux.unshare(linux.CLONE_NEWUTS | linux.CLONE_NEWIPC)
    links = netlink.Netlink()
    node: layout.NodeNetwork = {
        "service_cidr": "10.96.0.0/16",
        "gateway": "10.244.0.1",
        "addresses": [],
    }
    layout.lay_node(links, node)
    pod: layout.PodNetwork = {
        "hostname": "trial",
        "address": "10.244.0.2",
        "gateway": node["gateway"],
        "sysctls": {},
    }
    namespaces = layout.make_pod(links, layout.own_namespaces(), pod)
    dialling = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)
    try:
        dialling.setsockopt(_socket.IPPROTO_IP, _IP_TRANSPARENT, 1)
        dialling.bind((pod["address"], 0))
    except OSError as error:
        raise OSError(error.errno, error.strerror, "transparent socket") from None
    return namespaces


def _words(error: OSError) -> Refusal:
    return error.errno or 0, str(error.strerror), str(error.filename or "?")


def _go_apart(settings: dict[str, Any], joined: Sequence[int]) -> rootfs.BoundPrograms:
    network = linux.CLONE_NEWNET if settings["network"] else 0
    if joined:
        for descriptor in joined:
            linux.enter_namespace(descriptor, 0)  # any kind: the descriptor says it
        linux.unshare(linux.CLONE_NEWNS)
    else:
        id_maps.enter(settings["ids"], linux.CLONE_NEWNS | network)
    return rootfs.BoundPrograms(settings["base"], settings["extra"], settings["hidden"])


def _trial_view(folder: str) -> rootfs.View:
    return {
        "root": folder,
        "layers": [],
        "host_programs": True,
        "overlay": False,
        "cwd": "/",
        "volumes": [],
        "binds": [],
        "covers": [],
        "hostname": "trial",
        "read_only": False,
    }


def main() -> None:
    """Print as JSON what stops a container's namespaces here, and what stops a network for each pod; null for nothing.

    The third is what stops layers of images from being mounted, "" for nothing. The settings are the only argument.
    """
    settings = json.loads(sys.argv[1])
    network = tried(settings, network=True)
    files = None if network is None else tried(settings)
    layers = ""
    if files is None:
        _go_apart(settings, ())
        layers = overlay_refusal(settings["trial"])
    print(json.dumps((files, network, layers)))
