"""Two containers of one pod: what each sees of the other."""

from __future__ import annotations

import json
import textwrap
from typing import Any

from ..._errors import ResourceError
from ..._interruption import stoppable
from ..._progress import Progress
from ...cluster import Cluster
from ...measure.lane import Lane
from ...measure.recording import Recording
from .codes import FREE, TAKEN, Aspect
from .lab import LAB
from .summary import Trial

POD, SITE, NEIGHBOUR = "duo", "site", "voisin"
_TIMEOUT_S = 60.0
_WORD = "bonjour du site"

_WRITE = textwrap.dedent(
    f"""
    import pathlib
    for folder in ("/partage", "/app"):
        pathlib.Path(folder, "mot-du-site.txt").write_text("{_WORD}")
    """
)

_LOOK = textwrap.dedent(
    """
    import errno, json, os, pathlib, socket, urllib.request
    address = os.environ.get("BIND_ADDR", "127.0.0.1")
    found = {"address": address}
    try:
        with urllib.request.urlopen(f"http://{address}:8080/api/info", timeout=5) as answer:
            found["status"] = answer.status
    except OSError as error:
        found["status"] = getattr(error, "code", "")
    try:
        socket.create_server((address, 8080)).close()
        found["port_taken"] = False
    except OSError as error:
        found["port_taken"] = error.errno == errno.EADDRINUSE
    def read(path):
        try:
            return pathlib.Path(path).read_text()
        except OSError:
            return None
    found["shared_file"] = read("/partage/mot-du-site.txt")
    found["private_file"] = read("/app/mot-du-site.txt")
    def line(pid):
        try:
            return pathlib.Path("/proc", pid, "cmdline").read_bytes()
        except OSError:
            return b""
    pids = [pid for pid in os.listdir("/proc") if pid.isdigit()]
    found["processes"] = len(pids)
    found["sees_program"] = any(b"main" + b".py" in line(pid) for pid in pids)
    print(json.dumps(found))
    """
)


@stoppable
def measure(*, cluster: Cluster | None = None, progress: Progress | None = None) -> Recording:
    """Start a pod with two containers, and try from the second one what it shares with the first.

    Tried: reaching the first one's port at the pod's own address, taking the same port, reading a file of a common
    volume, reading a file of the other's root filesystem, finding the other's program among the processes.

    Parameters
    ----------
    cluster, progress
        Otherwise the cluster that `connect` returned, and what fits here (notebook, terminal, log).

    Raises
    ------
    WaitTimeoutError
        The pod does not become ready.
    ResourceError
        What is tried in a container fails in another way than a student has to see.
    """
    with LAB.open(cluster, progress, live=False) as measure:
        with measure.lane("shared-pod", "pod à deux conteneurs") as lane, lane.recorded():
            lane.step("démarrage du pod")
            lane.mark("apply")
            lane.apply("deux-conteneurs.yaml")
            lane.in_background(lambda: lane.namespace.wait("pod", POD, timeout_s=_TIMEOUT_S))
            lane.mark("ready")
            lane.step("essais depuis le deuxième conteneur")
            _run(lane, SITE, _WRITE)
            lane.parameters["facts"] = _facts(json.loads(_run(lane, NEIGHBOUR, _LOOK)))
            lane.step("suppression du pod")
            lane.mark("delete")
            lane.namespace.delete_object("pod", POD, timeout_s=_TIMEOUT_S)
            lane.mark("gone")
        return measure.recording()


def _run(lane: Lane, container: str, program: str) -> str:
    done = lane.namespace.exec(POD, ["python3", "-S", "-c", program], container)
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines()
        raise ResourceError(
            f"Essayer quelque chose dans le conteneur « {container} » du pod « {POD} »",
            lines[-1] if lines else "le programme a échoué",
            "Relancez la mesure ; « k8s-lab status » dit l’état du cluster.",
        )
    return done.stdout


def _facts(seen: dict[str, Any]) -> list[dict[str, Any]]:
    """Return each aspect: its name, whether the second container shares it, what was seen."""
    network = f"http://{seen['address']}:8080 {seen['status']}".strip()
    taken, text, private = seen["port_taken"], seen["shared_file"], seen["private_file"]
    trials = (
        Trial(Aspect.NETWORK, seen["status"] == 200, network),
        Trial(Aspect.PORTS, taken, TAKEN if taken else FREE),
        Trial(Aspect.VOLUME, text == _WORD, text or ""),
        Trial(Aspect.ROOT, private == _WORD, private or ""),
        Trial(Aspect.PROCESSES, seen["sees_program"], str(seen["processes"])),
    )
    return [
        {"name": trial.aspect, "shared": trial.shared, "detail": trial.detail} for trial in trials
    ]
