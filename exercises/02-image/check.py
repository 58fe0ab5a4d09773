"""Starts the answer, finds out from inside the pod which port its program listens on, then asks through the Service."""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from typing import Any

from k8s_helpers._errors import K8sHelpersError
from k8s_helpers.exercises import Bench, Finding, container_statuses

WANTED, OF_THE_IMAGE = 9090, 8080
START_S, LISTEN_S, ANSWER_S = 20.0, 10.0, 10.0
LISTENING = f"""
import os, socket
for port in ({WANTED}, {OF_THE_IMAGE}):
    try:
        socket.create_connection((os.environ.get("BIND_ADDR", "127.0.0.1"), port), 1).close()
        print(port)
    except OSError:
        pass
"""


def check(bench: Bench) -> Finding:
    """Return what keeps the app from being reached on the wanted port."""
    objects = bench.answer["manifeste"]
    named = {(item["kind"], item["metadata"]["name"]) for item in objects}
    if not named >= {("Deployment", "vitrine"), ("Service", "vitrine")}:
        return Finding("incomplet", "il faut un Deployment et un Service nommés « vitrine ».")
    bench.progress.step("Démarrage de votre vitrine")
    bench.apply(objects)
    pod = _started(bench)
    if pod is None:
        return Finding("commande", "le conteneur ne démarre pas, ou s’arrête aussitôt.")
    bench.progress.step("Sur quel port écoute-t-elle ?")
    ports = _listening(bench, pod)
    if ports is None:
        return Finding("commande", "le conteneur s’arrête sans avoir écouté sur aucun port.")
    if WANTED not in ports:
        told = f"le programme écoute sur {', '.join(map(str, ports)) or 'aucun de ces ports'}"
        wrote = str(WANTED) in str(objects)
        return Finding("information" if wrote else "port", f"{told}, pas sur {WANTED}.")
    if not _answers(bench):
        return Finding("service", f"le programme écoute sur {WANTED}, le Service n’y mène pas.")
    return Finding(None, f"même image, port {WANTED}, et le Service y mène.")


def _started(bench: Bench) -> str | None:
    """Return the pod whose program runs; None where it does not start."""
    end_s = time.monotonic() + START_S
    while time.monotonic() < end_s:
        for pod in bench.namespace.list("pod", "app=vitrine"):
            for one in container_statuses(pod):
                if _failed(one):
                    return None
                if one.get("state", {}).get("running"):
                    return str(pod["metadata"]["name"])
        bench.pause(0.2)
    return None


def _failed(status: dict[str, Any]) -> bool:
    reason = status.get("state", {}).get("waiting", {}).get("reason", "")
    return bool(
        status.get("restartCount")
        or "terminated" in status.get("state", {})
        or reason.endswith(("Error", "BackOff"))
    )


def _listening(bench: Bench, pod: str) -> list[int] | None:
    """Return the ports that answer inside the pod, once one does; None where its container ends meanwhile."""
    end_s = time.monotonic() + LISTEN_S
    ports: list[int] = []
    while not ports and time.monotonic() < end_s:
        if any(map(_failed, container_statuses(bench.namespace.get("pod", pod)))):
            return None
        try:
            done = bench.namespace.exec(pod, ["python3", "-S", "-c", LISTENING])
        except K8sHelpersError:  # its container has just ended
            bench.pause(0.2)
            continue
        ports = [int(line) for line in done.stdout.split()]
        bench.pause(0.2)
    return ports


def _answers(bench: Bench) -> bool:
    url = bench.namespace.service_url("vitrine", timeout_s=0).url
    end_s = time.monotonic() + ANSWER_S
    while time.monotonic() < end_s:
        try:
            with urllib.request.urlopen(f"{url}/api/info", timeout=2):
                return True
        except (urllib.error.URLError, OSError):
            bench.pause(0.2)
    return False
