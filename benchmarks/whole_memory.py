"""The memory that notebook 10 takes in all: five Spring Boot programs, the cluster, the notebook's kernel.

A kernel runs the notebook's measure, chart included, on an embedded cluster; once a second, what the two trees of
processes (the cluster's supervisor, the kernel) hold is added up, each page once. The peak is what a machine must have.
"""

from __future__ import annotations

import os
import queue
from collections.abc import Mapping

from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import start_new_kernel

from embedded_kubernetes.node.runtime import proctree
from k8s_helpers.builds import images

from . import processes
from .harness import NAME, at_most, cluster_of
from .row import Row

BAR_MB = 1600
DELAY_S = 20.0
"""Of the program's start: long enough for all to be there together."""
_PERIOD_S = 1.0
_END_S = 600
_READY = f"""
import matplotlib.pyplot
from k8s_helpers import connect, labs
cluster = connect(provider="embedded", name={NAME!r})
"""
_MEASURE = f"""
recording = labs.probes.measure(delay_s={DELAY_S:g}, cluster=cluster)
labs.draw(recording).to_png()
"""


def measure() -> list[Row]:
    """Return the peak of the whole, and what each part held at that moment."""
    os.environ[images.SPRING_VARIABLE] = "real"
    with cluster_of("embedded") as cluster:
        images.spring(
            cluster, "v1"
        )  # built before: it is done once, and a build holds nothing afterwards
        peak = max(_while_measured(), key=lambda parts: parts["in all"])
    told = ", ".join(f"{name} {mb:.0f}" for name, mb in peak.items() if name != "in all")
    what = f"memory in all: five Spring variants, cluster, kernel ({told} MB)"
    return [at_most(what, peak["in all"], "MB", BAR_MB)]


def _while_measured() -> list[Mapping[str, float]]:
    """Run the measure in a kernel of its own and return what was held, second by second."""
    manager, client = start_new_kernel()
    try:
        kernel = int(manager.provisioner.pid)
        _run(client, _READY)
        return _run(client, _MEASURE, kernel)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def _run(client: BlockingKernelClient, code: str, kernel: int = 0) -> list[Mapping[str, float]]:
    """Execute a cell to its end, and look at the memory meanwhile where the kernel's process is given."""
    sent = client.execute(code)
    found: list[Mapping[str, float]] = []
    for _ in range(int(_END_S / _PERIOD_S)):
        try:
            answer = client.get_shell_msg(timeout=_PERIOD_S)
        except queue.Empty:
            if kernel:
                found.append(_parts(kernel))
            continue
        if answer["parent_header"]["msg_id"] == sent:
            if answer["content"]["status"] != "ok":
                raise RuntimeError(f"the kernel says: {answer['content']['evalue']}")
            return found
    raise TimeoutError(f"the cell did not end within {_END_S} s")


def _parts(kernel: int) -> Mapping[str, float]:
    """Return the megabytes of each part, and of the whole, where what parts share is counted once."""
    control_plane, node = processes.control_plane(), processes.node_with_helpers()
    supervisor, _ = proctree.descent(control_plane[0]) or (0, 0)
    cluster = proctree.tree([supervisor])
    pods = sorted(set(cluster) - {supervisor, *control_plane, *node})
    parts = {
        "control plane": control_plane,
        "supervisor and node": [supervisor, *node],
        "pods": pods,
        "kernel": proctree.tree([kernel]),
    }
    whole = [pid for pids in parts.values() for pid in pids]
    told = {name: processes.distinct_mb(pids) for name, pids in parts.items()}
    return {**told, "in all": processes.distinct_mb(whole)}
