"""Two containers of one pod: what each sees of the other."""

from __future__ import annotations

import json
import textwrap
from typing import Any

from .._errors import ResourceError
from .._interruption import stoppable
from .._progress import Progress
from ..cluster import Cluster
from ..recording import Recording
from .play import Play, opened

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
    with urllib.request.urlopen(f"http://{address}:8080/api/info", timeout=5) as answer:
        found["answers"] = answer.status == 200
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
def shared_pod(*, cluster: Cluster | None = None, progress: Progress | None = None) -> Recording:
    """Start a pod with two containers, and try from the second one what it shares with the first.

    Tried: reaching the first one's port at the pod's own address, taking the same port, reading a file of a common
    volume, reading a file of the other's root filesystem, finding the other's program among the processes.

    Parameters
    ----------
    cluster : Cluster, optional
        Otherwise the one that `connect` returned.
    progress : Progress, optional
        Told each step; otherwise what fits (notebook, terminal, log).

    Raises
    ------
    WaitTimeoutError
        The pod does not become ready.
    ResourceError
        What is tried in a container fails in another way than a student has to see.
    """
    folder = "03_espaces_de_noms_et_pods"
    with opened("shared_pod", folder, cluster, progress) as show:
        with show.play("shared-pod", "pod à deux conteneurs") as play, play.recorded():
            play.step("démarrage du pod")
            play.mark("apply")
            play.apply("deux-conteneurs.yaml")
            play.in_background(lambda: play.namespace.wait("pod", POD, timeout_s=_TIMEOUT_S))
            play.mark("ready")
            play.step("essais depuis le deuxième conteneur")
            _run(play, SITE, _WRITE)
            play.parameters["facts"] = _facts(json.loads(_run(play, NEIGHBOUR, _LOOK)))
            play.step("suppression du pod")
            play.mark("delete")
            play.namespace.delete_object("pod", POD, timeout_s=_TIMEOUT_S)
            play.mark("gone")
        return show.recording()


def _run(play: Play, container: str, program: str) -> str:
    done = play.namespace.exec(POD, ["python3", "-S", "-c", program], container)
    if done.returncode != 0:
        raise ResourceError(
            f"Essayer quelque chose dans le conteneur « {container} » du pod « {POD} »",
            done.stderr.strip().splitlines()[-1]
            if done.stderr.strip()
            else "le programme a échoué",
            "Relancez la mesure ; « k8s-lab status » dit l’état du cluster.",
        )
    return done.stdout


def _facts(seen: dict[str, Any]) -> list[dict[str, Any]]:
    """Return each fact: its name, whether the second container shares it, what was seen."""
    address = f"http://{seen['address']}:8080"
    private = seen["private_file"]
    found = (
        ("network", bool(seen["answers"]), f"GET {address} depuis « {NEIGHBOUR} » : 200"),
        (
            "ports",
            bool(seen["port_taken"]),
            "ouvrir le port 8080 une deuxième fois : adresse déjà prise",
        ),
        (
            "volume",
            seen["shared_file"] == _WORD,
            f"/partage/mot-du-site.txt : « {seen['shared_file']} »",
        ),
        ("root", private == _WORD, f"/app/mot-du-site.txt : {private or 'absent'}"),
        ("processes", bool(seen["sees_program"]), f"{seen['processes']} processus dans son /proc"),
    )
    return [{"name": name, "shared": shared, "detail": detail} for name, shared, detail in found]
