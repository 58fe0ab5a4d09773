"""The configuration that a kind cluster of the course is created from. Pure.

Source: https://kind.sigs.k8s.io/docs/user/configuration/
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import yaml

from ..._autoscaler import KIND

NODE_PORTS = range(30000, 30016)
"""Every NodePort that the cluster can give: the API server gives no other, so all are reachable from this machine."""

INGRESS_PORT = 80
"""Port of the node that an ingress controller listens on."""
INGRESS_TLS_PORT = 443
"""The same by HTTPS."""
PREFERRED_PORTS = {INGRESS_PORT: 8080, INGRESS_TLS_PORT: 8443}
"""Where this machine reaches them, when free."""

LOOPBACK = "127.0.0.1"


def choose_ports(
    wanted: Iterable[int], is_free: Callable[[int], bool], any_free: Callable[[], int]
) -> dict[int, int]:
    """Return a host port for each port of the node: the same number where it is free.

    Parameters
    ----------
    wanted : iterable of int
        Ports of the node.
    is_free : callable
        Whether a port of this machine is free.
    any_free : callable
        Returns a free port, another one each time.
    """
    return {port: port if is_free(port) else any_free() for port in wanted}


def build(
    ports: Mapping[int, int], ingress: Mapping[int, int], *, image: str | None, cgroup_v1: bool
) -> str:
    """Return the cluster's configuration as YAML.

    Parameters
    ----------
    ports : mapping
        NodePort → port of this machine.
    ingress : mapping
        Port of the node that an ingress controller listens on → port of this machine.
    image : str or None
        Node image; None takes the one that the `kind` command was released with.
    cgroup_v1 : bool
        Tell the kubelet to start on the old cgroups all the same.
    """
    node: dict[str, Any] = {"role": "control-plane"}
    if image is not None:
        node["image"] = image
    mappings = {**ports, **ingress}
    node["extraPortMappings"] = [
        {"containerPort": inside, "hostPort": outside, "listenAddress": LOOPBACK}
        for inside, outside in mappings.items()
    ]
    # Without a version in them, kind translates these patches to the version of kubeadm's API in use.
    patches: list[dict[str, Any]] = [
        {
            "kind": "ClusterConfiguration",
            "apiServer": {
                "extraArgs": {"service-node-port-range": f"{NODE_PORTS[0]}-{NODE_PORTS[-1]}"}
            },
            "controllerManager": {
                "extraArgs": {flag: f"{delay_s:g}s" for flag, delay_s in KIND.flags().items()}
            },
        }
    ]
    if cgroup_v1:
        patches.append({"kind": "KubeletConfiguration", "failCgroupV1": False})
    plain = {
        "kind": "Cluster",
        "apiVersion": "kind.x-k8s.io/v1alpha4",
        "nodes": [node],
        "kubeadmConfigPatches": [yaml.safe_dump(patch) for patch in patches],
    }
    return str(yaml.safe_dump(plain, sort_keys=False))
