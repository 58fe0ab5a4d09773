"""What goes in one pod? A site and its database together, or apart: each is scaled up, written to and read."""

from __future__ import annotations

from functools import partial

from .._errors import UsageError
from .._interruption import stoppable
from .._progress import Progress
from ..cluster import Cluster, ServiceAddress
from ..recording import Recording
from .carnet import ask_patiently, playing, tell
from .play import Play, Show
from .together import together

SOLUTIONS = {"A": "solution-a.yaml", "B": "solution-b.yaml"}
_SITES = "app=carnet,role=site"
_SEEN_TIMEOUT_S = 60.0


@stoppable
def cohabitation(
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
    cluster : Cluster, optional
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
    if not (2 <= replicas <= 10 and 1 <= notes <= 200 and 1 <= reads <= 200):
        raise UsageError(
            "Comparer un pod et deux pods",
            f"{replicas} réplicas, {notes} notes, {reads} lectures",
            "Donnez 2 à 10 réplicas, 1 à 200 notes et 1 à 200 lectures.",
        )
    with playing("cohabitation", "03_espaces_de_noms_et_pods", cluster, progress) as show:
        acts = {
            name: partial(_play, show, name, manifest, replicas, notes, reads)
            for name, manifest in SOLUTIONS.items()
        }
        together(show, acts)
        return show.recording()


def _play(show: Show, name: str, manifest: str, replicas: int, notes: int, reads: int) -> None:
    numbers = {"replicas": replicas, "notes": notes, "reads": reads}
    with show.play(name.lower(), f"Solution {name}", **numbers) as play:
        play.name = name
        play.deploy(manifest)
        address = play.ready_address("carnet")
        with play.recorded():
            _scale_up(play, address, replicas)
            play.step(f"écriture de {notes} notes")
            for note in range(1, notes + 1):
                answer = ask_patiently(address, "/notes", {"text": str(note)})
                tell(play, "write", note=note, site=answer["pod"], database=answer["database"])
            play.step(f"lecture par {reads} visiteurs")
            for _ in range(reads):
                _read(play, address, "read")
            play.step("retour à un seul pod")
            play.mark("scale-down", "1")
            play.namespace.scale("deployment", "carnet", 1)
            play.until(
                lambda: len(play.namespace.list("pods", _SITES)) == 1,
                _SEEN_TIMEOUT_S,
                "un seul pod du site",
            )
            _read(play, address, "kept")


def _scale_up(play: Play, address: ServiceAddress, replicas: int) -> None:
    """Ask for more pods, and wait until each of them has answered a visitor."""
    play.step(f"passage à {replicas} pods")
    play.mark("scale", str(replicas))
    play.namespace.scale("deployment", "carnet", replicas)
    play.wait_rollout("carnet")
    seen: set[str] = set()

    def all_answer() -> bool:
        seen.add(ask_patiently(address, "/api/info")["pod"])
        return len(seen) >= replicas

    play.until(all_answer, _SEEN_TIMEOUT_S, f"une réponse de chacun des {replicas} pods")
    play.mark("scaled")


def _read(play: Play, address: ServiceAddress, kind: str) -> None:
    answer = ask_patiently(address, "/notes")
    tell(
        play,
        kind,
        site=answer["pod"],
        database=answer["database"],
        notes=[int(note) for note in answer["notes"]],
    )
