"""Wakes the frozen programs of a node, which its engine could not kill otherwise.

With the old cgroups, a container that is just starting when its node is stopped can stay frozen by runc for ever:
the kernel then keeps SIGKILL waiting, and the engine gives up the node's removal.
(source: `Documentation/admin-guide/cgroup-v1/freezer-subsystem.rst` of the kernel)
"""

from __future__ import annotations

from pathlib import Path

FREEZER = Path("/sys/fs/cgroup/freezer")
_STATE, _THAWED = "freezer.state", "THAWED"


def thaw(container_id: str, root: Path = FREEZER) -> int:
    """Thaw every frozen group below a container's own; return how many there were.

    Parameters
    ----------
    container_id : str
        The engine's whole id of the container, which its cgroup's name contains.
    root : Path
        Where the freezer is mounted; nothing happens where it is not, or without the right to write.
    """
    thawed = 0
    for group in root.glob(f"**/*{container_id}*"):
        for state in group.rglob(_STATE):
            try:
                if state.read_text().strip() != _THAWED:
                    state.write_text(_THAWED)
                    thawed += 1
            except OSError:
                continue
    return thawed
