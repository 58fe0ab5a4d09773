"""What a pod's volumes follow, and the address that it keeps."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from embedded_kubernetes.node.network.addresses import Addresses
from embedded_kubernetes.node.pods.context import PodContext
from embedded_kubernetes.node.pods.sandbox import Sandbox
from embedded_kubernetes.node.storage.payloads import MountError

POD = {"metadata": {"name": "web", "namespace": "shop", "uid": "u"}, "spec": {"containers": []}}
SETTINGS = ("configmaps", "settings")


class Volumes:
    """Volumes that show one ConfigMap; it changes once more while they are written."""

    references = frozenset((SETTINGS,))
    renew_wall_s = None

    def __init__(self, sandbox):
        self._sandbox = sandbox
        self.refreshed = 0
        self.trouble = None

    async def refresh(self):
        self.refreshed += 1
        if self.trouble is not None:
            raise self.trouble
        if self.refreshed == 1:
            self._sandbox.object_changed(*SETTINGS)


def sandbox(pod=POD, known_ip="", addresses=None):
    events = []
    node = SimpleNamespace(
        folder=Path("/nowhere"),
        allocatable={},
        host_address="127.0.0.1",
        api=None,
        runtime=None,
        addresses=addresses,
        config=SimpleNamespace(bindable=lambda address: address),
        recorder=SimpleNamespace(record=lambda *said: events.append(said)),
    )
    made = Sandbox(PodContext(node, pod), known_ip)
    made.volumes = Volumes(made)
    made.ready = True
    return made, events


async def test_what_changes_while_volumes_are_written_is_written_too():
    made, _ = sandbox()
    made.object_changed(*SETTINGS)
    assert await made.keep() == 1.0
    assert await made.keep() is None
    assert made.volumes.refreshed == 2


async def test_what_cannot_be_written_again_is_tried_later():
    made, events = sandbox()
    made.object_changed(*SETTINGS)
    made.volumes.trouble = MountError("configmap not there")
    assert 50 < await made.keep() <= 60
    assert len(events) == 1


@pytest.mark.parametrize(
    ("phase", "spec", "kept"),
    [
        ("Running", {}, True),
        ("Pending", {}, True),
        ("Succeeded", {}, False),
        ("Running", {"hostNetwork": True}, False),
    ],
)
def test_the_address_of_before_a_restart_goes_to_no_other_pod(phase, spec, kept):
    config = SimpleNamespace(
        bindable=lambda address: address, pod_cidr="10.244.0.0/16", gateway="10.244.0.1"
    )
    addresses = Addresses(config, 0)
    pod = {**POD, "spec": {**POD["spec"], **spec}, "status": {"phase": phase}}
    sandbox(pod, "10.244.0.2", addresses)  # its own network is made later than that of others
    assert (addresses.take() != "10.244.0.2") == kept
