"""What recordings of the lab `added_node` are written in."""

from __future__ import annotations

from enum import StrEnum

RUN = "added-node"


class NodeMark(StrEnum):
    """What is done with the node, in this order; `PLACED` when as many pods as it has room for are ready there."""

    ADD = "add"
    JOINED = "joined"
    PLACED = "placed"
    REMOVE = "remove"
    REMOVED = "removed"
