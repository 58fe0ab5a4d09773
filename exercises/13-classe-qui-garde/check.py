"""Writes a note through the student's own class and claim, deletes the pod, and asks the next one."""

from __future__ import annotations

from typing import Any

from k8s_helpers.exercises.controls import ApiStatusError, Bench, Finding, ready

CLAIM, CLASS, NOTE = "notes", "garde", "garder le reçu"
PROGRAM = ("python3", "-S", "/app/main.py")
CLASSES, VOLUMES = "/apis/storage.k8s.io/v1/storageclasses", "/api/v1/persistentvolumes"
BOUND_S = 10.0


def set_up(bench: Bench) -> None:
    """Give the program; a class of an earlier try, and its volumes, belong to no namespace."""
    for path in (f"{CLASSES}/{CLASS}", *(f"{VOLUMES}/{name}" for name in _volumes(bench))):
        try:
            bench.cluster.api.request("DELETE", path)
        except ApiStatusError as error:
            if error.code != 404:
                raise
    bench.apply(bench.given("given/base.yaml"))


def symptoms(bench: Bench) -> bool:
    """Return whether the scheduler has said that the claim is missing."""
    pods = bench.namespace.list("pod")
    conditions = (item for pod in pods for item in pod["status"].get("conditions", ()))
    return any(CLAIM in condition.get("message", "") for condition in conditions)


def check(bench: Bench) -> Finding:
    """Return whether a note outlives its pod, in a volume that would outlive its claim."""
    classes = [item["metadata"]["name"] for item in _list(bench, CLASSES)]
    claims = {item["metadata"]["name"]: item for item in bench.namespace.list("pvc")}
    if CLAIM not in claims:
        if CLASS not in classes:
            return Finding("intact", "ni classe, ni demande : le pod attend.")
        return Finding("demande", f"la demande « {CLAIM} » n’existe pas.")
    wanted = claims[CLAIM]["spec"].get("storageClassName")
    if wanted != CLASS or CLASS not in classes:
        there = ", ".join(sorted(classes))
        return Finding("classe", f"la demande est de classe « {wanted} » ; il y a : {there}.")
    if not (pod := bench.until(lambda: _ready_pod(bench), BOUND_S)):
        return Finding("attend", f"la demande est {claims[CLAIM]['status'].get('phase')}.")
    volume = bench.namespace.get("pvc", CLAIM)["spec"]["volumeName"]
    kept = bench.cluster.api.request("GET", f"{VOLUMES}/{volume}")["spec"]
    policy = kept["persistentVolumeReclaimPolicy"]
    if policy != "Retain":
        return Finding("politique", f"le volume a la politique {policy}.")
    bench.namespace.exec(pod, [*PROGRAM, "note", NOTE])
    bench.namespace.delete_object("pod", pod, timeout_s=bench.remaining_s)
    second = bench.until(lambda: _ready_pod(bench), BOUND_S)
    if not second or NOTE not in bench.namespace.exec(second, [*PROGRAM, "notes"]).stdout:
        return Finding("perdue", f"{pod} a écrit une note, et le pod suivant ne la trouve pas.")
    return Finding(
        None,
        f"{second} relit la note de {pod}, et le volume survivra à sa demande.\n"
        "La classe et le volume ne sont dans aucun espace de noms : « stop » les laisse. Après lui, "
        f"« kubectl delete storageclass {CLASS} » et « kubectl delete pv {volume} » les suppriment.",
    )


def _ready_pod(bench: Bench) -> str:
    pods = bench.namespace.list("pod", "app=base")
    names = (pod["metadata"]["name"] for pod in pods if ready(pod))
    return next(names, "")


def _list(bench: Bench, path: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = bench.cluster.api.request("GET", path)["items"]
    return items


def _volumes(bench: Bench) -> list[str]:
    return [
        item["metadata"]["name"]
        for item in _list(bench, VOLUMES)
        if item["spec"].get("storageClassName") == CLASS
    ]
