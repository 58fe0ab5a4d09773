"""Starts the answer, finds out from inside the pod which port its program listens on, then asks through the Service."""

from __future__ import annotations

import contextlib
from typing import Any

from k8s_helpers.exercises.controls import Bench, Finding, K8sHelpersError, container_statuses, get

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
        text = f"le programme écoute sur {', '.join(map(str, ports)) or 'aucun de ces ports'}"
        wrote = str(WANTED) in str(objects)
        return Finding("information" if wrote else "port", f"{text}, pas sur {WANTED}.")
    if not _answers(bench):
        return Finding("service", f"le programme écoute sur {WANTED}, le Service n’y mène pas.")
    return Finding(None, f"même image, port {WANTED}, et le Service y mène.")


def _started(bench: Bench) -> str | None:
    """Return the pod whose program runs; None where it does not start."""

    def begun() -> list[tuple[str, dict[str, Any]]]:
        return [
            (pod["metadata"]["name"], status)
            for pod in bench.namespace.list("pod", "app=vitrine")
            for status in container_statuses(pod)
            if _failed(status) or status.get("state", {}).get("running")
        ]

    found = bench.until(begun, START_S)
    return None if not found or _failed(found[0][1]) else found[0][0]


def _failed(status: dict[str, Any]) -> bool:
    reason = status.get("state", {}).get("waiting", {}).get("reason", "")
    return bool(
        status.get("restartCount")
        or "terminated" in status.get("state", {})
        or reason.endswith(("Error", "BackOff"))
    )


def _listening(bench: Bench, pod: str) -> list[int] | None:
    """Return the ports that answer inside the pod, once one does; None where its container ends meanwhile."""

    def ports() -> list[int] | None:
        if any(map(_failed, container_statuses(bench.namespace.get("pod", pod)))):
            return None
        with contextlib.suppress(K8sHelpersError):  # its container has just ended
            done = bench.namespace.exec(pod, ["python3", "-S", "-c", LISTENING])
            return [int(line) for line in done.stdout.split()]
        return []

    return bench.until(ports, LISTEN_S, lambda found: found != [])


def _answers(bench: Bench) -> bool:
    address = bench.namespace.service_url("vitrine", timeout_s=0)
    return bool(bench.until(lambda: get(address, "/api/info", timeout_s=2.0), ANSWER_S))
