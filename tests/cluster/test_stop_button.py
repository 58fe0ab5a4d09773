"""The stop button in a real kernel: three French lines, nothing of a library, and nothing left in the cluster."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from kernels import Cell, Kernel, kernel

from embedded_kubernetes.control import lifecycle

if TYPE_CHECKING:
    from k8s_helpers.cluster import Cluster

CONNECT = "import k8s_helpers as kh; cluster = kh.connect()"
CALLS = {
    "update, while it deploys": (
        'kh.labs.update.measure(["rolling"])',
        "Déploiement de la version 1",
    ),
    "update, while it measures": ('kh.labs.update.measure(["rolling"])', "trafic sur la version 1"),
    "runs at the same time": ("kh.labs.self_healing.measure()", "trafic avant l’écart"),
    "check": (
        'kh.check("09-zero-perte", *kh.starter("09-zero-perte"))',
        "Préparation de l’exercice",
    ),
    "wait": (
        'with cluster.namespace("attente") as ns:\n'
        '    print("parti", flush=True)\n'
        '    ns.wait("deployment", "absent", timeout_s=100)',
        "parti",
    ),
    "the student's own sleep": (
        'import time\nwith cluster.namespace("attente") as ns:\n'
        '    print("parti", flush=True)\n'
        "    time.sleep(100)",
        "parti",
    ),
}


@pytest.fixture(scope="module")
def connected(cluster: Cluster) -> Iterator[Kernel]:
    with kernel() as started:
        started.run(CONNECT)
        yield started


def require_three_lines(cell: Cell) -> None:
    assert cell.error is not None, cell.text
    assert cell.error["ename"] == "Interrupted", cell.traceback
    lines = cell.traceback.splitlines()
    assert len(lines) == 3 and lines[0].startswith("Interrupted: Exécuter "), cell.traceback
    assert "Constaté : vous l’avez arrêté" in lines[1] and "À faire : " in lines[2]
    assert "Traceback" not in cell.text and "site-packages" not in cell.text
    assert "rangement n’a pas pu" not in cell.traceback


def require_nothing_left(cluster: Cluster, before: set[str], timeout_s: float = 40.0) -> None:
    end_s = time.monotonic() + timeout_s
    while left := set(cluster.namespaces()) - before:
        assert time.monotonic() < end_s, left
        time.sleep(0.2)


@pytest.mark.parametrize("presses", [1, 3])
@pytest.mark.parametrize("call", CALLS)
def test_what_is_stopped_says_so_in_three_lines_and_is_tidied(
    connected: Kernel, cluster: Cluster, call: str, presses: int
) -> None:
    source, moment = CALLS[call]
    before = set(cluster.namespaces())
    cell = connected.send(source)
    cell.wait_for(moment)
    connected.press_stop(presses)
    cell.wait()
    require_three_lines(cell)
    require_nothing_left(cluster, before)
    assert connected.run("print(6 * 7)").text == "42\n"


@pytest.mark.parametrize("presses", [1, 3])
def test_a_cluster_that_was_starting_is_gone_when_connect_is_stopped(presses: int) -> None:
    with kernel({"K8S_HELPERS_CLUSTER": "arret"}) as started:
        cell = started.send(CONNECT)
        cell.wait_for("Préparation du cluster")
        started.press_stop(presses)
        cell.wait()
        require_three_lines(cell)
    assert lifecycle.status("arret").state == "absent"


def test_a_second_press_says_nothing_more_and_the_kernel_can_be_stopped_again(
    connected: Kernel,
) -> None:
    cell = connected.send(
        "import time\n"
        "try:\n"
        "    print('parti', flush=True)\n"
        "    cluster.namespace('attente').wait('pod', 'absent', timeout_s=100)\n"
        "except KeyboardInterrupt:\n"
        "    print('arrêté', flush=True)\n"
        "    time.sleep(100)"
    )
    cell.wait_for("parti")
    connected.press_stop()
    cell.wait_for("arrêté")
    # Not oftener: a press that falls into IPython's writing of the error takes that away.
    for _ in range(6):
        connected.press_stop()
        if cell.ends_within(5.0):
            break
    assert cell.error is not None and cell.error["ename"] == "KeyboardInterrupt"
