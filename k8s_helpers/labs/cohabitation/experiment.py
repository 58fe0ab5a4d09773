"""What goes in one pod? A site and its database together, or apart: each is scaled up, written to and read."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from ..._checks import bounds
from ..._interruption import stoppable
from ..._progress import Progress
from ...cluster import Cluster, ServiceAddress
from ...measure.carnet import ask
from ...measure.lane import Lane
from ...measure.measure import Measure
from ...measure.recording import Recording
from .codes import NoteMark, Shown, Solution, Written
from .lab import LAB

SOLUTIONS = {Solution.A: "solution-a.yaml", Solution.B: "solution-b.yaml"}
_SITES = "app=carnet,role=site"
_SEEN_TIMEOUT_S = 60.0


@stoppable
def measure(
    *,
    cluster: Cluster | None = None,
    replicas: int = 3,
    notes: int = 24,
    reads: int = 30,
    progress: Progress | None = None,
) -> Recording:
    """Put the site and the database of "carnet" in one pod (A), then in two (B), and scale each up.

    Notes are written and read back through the Service, each by a visitor with a connection of its own; the number
    of pods is brought back to one at the end, and the notes that are left are read.

    Parameters
    ----------
    cluster
        Otherwise the one that `connect` returned.
    replicas : int
        Pods of the site, 2 to 10.
    notes : int
        How many are written once all pods answer, 1 to 200.
    reads : int
        How many visitors read all notes afterwards, 1 to 200.
    progress : Progress, optional
        Told each step.

    Raises
    ------
    UsageError
        A number out of its bounds.
    WaitTimeoutError
        Pods that do not come to answer.
    """
    bounds(
        "Comparer un pod et deux pods",
        (replicas, 2, 10, "réplicas"),
        (notes, 1, 200, "notes"),
        (reads, 1, 200, "lectures"),
    )
    sizes = {"replicas": replicas, "notes": notes, "reads": reads}
    with LAB.open(cluster, progress, app="carnet", live=False) as measure:
        measure.together({name: partial(_share, measure, name, sizes) for name in SOLUTIONS})
        return measure.recording()


def _share(measure: Measure, name: Solution, sizes: Mapping[str, int]) -> None:
    """Scale a solution up, write and read notes, and scale it down."""
    with measure.lane(name, f"Solution {name}", sizes) as lane:
        lane.deploy(SOLUTIONS[name])
        address = lane.ready_address("carnet")
        with lane.recorded():
            _scale_up(lane, address, sizes["replicas"])
            lane.step(f"écriture de {sizes['notes']} notes")
            for note in range(1, sizes["notes"] + 1):
                answer = ask(address, "/notes", {"text": str(note)})
                lane.note(NoteMark.WRITE, Written(note, answer["pod"], answer["database"]))
            lane.step(f"lecture par {sizes['reads']} visiteurs")
            for _ in range(sizes["reads"]):
                _read(lane, address, NoteMark.READ)
            lane.step("retour à un seul pod")
            lane.mark(NoteMark.SCALE_DOWN, "1")
            lane.namespace.scale("deployment", "carnet", 1)
            lane.until(
                lambda: len(lane.namespace.list("pods", _SITES)) == 1,
                _SEEN_TIMEOUT_S,
                "un seul pod du site",
            )
            _read(lane, address, NoteMark.KEPT)


def _scale_up(lane: Lane, address: ServiceAddress, replicas: int) -> None:
    """Ask for more pods, and wait until each of them has answered a visitor."""
    lane.step(f"passage à {replicas} pods")
    lane.mark(NoteMark.SCALE, str(replicas))
    lane.namespace.scale("deployment", "carnet", replicas)
    lane.wait_rollout("carnet")
    seen: set[str] = set()

    def all_answer() -> bool:
        seen.add(ask(address, "/api/info")["pod"])
        return len(seen) >= replicas

    lane.until(all_answer, _SEEN_TIMEOUT_S, f"une réponse de chacun des {replicas} pods")
    lane.mark(NoteMark.SCALED)


def _read(lane: Lane, address: ServiceAddress, kind: NoteMark) -> None:
    answer = ask(address, "/notes")
    lane.note(
        kind, Shown(answer["pod"], answer["database"], [int(note) for note in answer["notes"]])
    )
