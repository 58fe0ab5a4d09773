"""What the node receives from the network process."""

import os
import socket
from pathlib import Path

from embedded_kubernetes.node.runtime.pod_network.link import _received


def descriptors() -> set[str]:
    """Return the numbers that this process has in use; one of them for this look."""
    return {path.name for path in Path("/proc/self/fd").iterdir()}


def test_descriptors_that_do_not_all_arrive_are_closed() -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs, Path(os.devnull).open("rb") as given:
        before = descriptors()
        socket.send_fds(theirs, [b"some"], [given.fileno()] * 2)
        data, received = _received(ours)
        assert data == b"some" and received is not None
        assert len(received) == 2
        for descriptor in received:
            os.close(descriptor)
        socket.send_fds(theirs, [b"many"], [given.fileno()] * 100)
        assert _received(ours) == (b"many", None)
        assert descriptors() == before
