"""Runs the student's pod, reads its class, makes it work, and sees whether it lives."""

from __future__ import annotations

from typing import Any

from k8s_helpers.exercises.controls import (
    Answer,
    Bench,
    Finding,
    container_end,
    container_runs,
    container_statuses,
    get,
    seconds,
    wait_placed,
)

WORK_MS, LONGEST_S, TRIES = 100, 0.7, 3
LABEL = "vitrine"
"""By which the exercise's own Service finds the pod."""
_STUCK = ("CrashLoopBackOff", "RunContainerError", "CreateContainerError", "StartError")


class _DeadError(Exception):
    """The container has ended, for the reason given."""


def check(bench: Bench) -> Finding:
    """Return the class that the pod got, and how it fares with it."""
    pods = bench.answer["manifeste"]
    if len(pods) != 1:
        return Finding("incomplet", "il faut un seul Pod.")
    name = pods[0]["metadata"]["name"]
    bench.progress.step("Démarrage de votre pod")
    bench.apply(bench.given("service.yaml"))
    bench.apply(pods)
    pod = bench.namespace.get("pod", name)
    quality = pod["status"]["qosClass"]
    if quality != "Guaranteed":
        return Finding("classe", f"votre pod est de classe {quality}.")
    if said := wait_placed(bench, name):
        return Finding("pending", f"votre pod reste Pending. L’ordonnanceur dit : {said}")
    if pod["metadata"].get("labels", {}).get("app") != LABEL:
        return Finding("etiquette", f"votre pod ne porte plus l’étiquette « app: {LABEL} ».")
    bench.namespace.wait("pod", name, _decided, bench.remaining_s)
    return _put_to_work(bench, name)


def _put_to_work(bench: Bench, name: str) -> Finding:
    bench.progress.step(f"Des pages de {WORK_MS} ms de calcul")
    address = bench.namespace.service_url("vitrine", timeout_s=0).at(f"cpu?ms={WORK_MS}")

    def page() -> Answer:
        if reason := _dead(bench.namespace.get("pod", name)):
            raise _DeadError(reason)
        return get(address, "", timeout_s=min(15.0, bench.remaining_s))

    try:
        found_s = bench.quickest_s(page, LONGEST_S, TRIES)
    except _DeadError as error:
        return Finding("tue", f"la classe est Guaranteed, mais le conteneur meurt ({error}).")
    if found_s > LONGEST_S:
        return Finding(
            "lent",
            f"{WORK_MS} ms de calcul reviennent en {seconds(found_s)} ; la limite est de {seconds(LONGEST_S)}.",
        )
    return Finding(
        None,
        f"classe Guaranteed, vivante, et {WORK_MS} ms de calcul reviennent en {seconds(found_s)}.",
    )


def _decided(pod: dict[str, Any]) -> bool:
    """Whether there is something to say of the container: it runs, or it died."""
    return container_runs(pod) or bool(_dead(pod))


def _dead(pod: dict[str, Any]) -> str:
    """Return why the container does not live; "" where it does."""
    if ended := container_end(pod):
        return f"{ended.get('reason', 'Error')}, code {ended.get('exitCode')}"
    for status in container_statuses(pod):
        waiting = status.get("state", {}).get("waiting", {}).get("reason", "")
        if waiting in _STUCK:
            return str(waiting)
    return ""
