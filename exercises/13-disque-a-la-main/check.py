"""Looks whether the claim got the student's own volume, and whether the pod runs with it."""

from __future__ import annotations

from typing import Any

from k8s_helpers.exercises.controls import (
    ApiStatusError,
    Bench,
    Finding,
    parse_quantity,
    ready,
)

POD, CLAIM, VOLUME, FOLDER = "lecteur", "documents", "documents-du-noeud", "/opt"
BOUND_S, SEEN_AGAIN_S, STARTED_S = 8.0, 20.0, 20.0
"""A claim that was read before its volume is read again every 15 s (`--pvclaimbinder-sync-period`)."""

VOLUMES = "/api/v1/persistentvolumes"


def set_up(bench: Bench) -> None:
    """Give the pod; a volume of an earlier try belongs to no namespace, and would be in the way."""
    try:
        bench.cluster.api.request("DELETE", f"{VOLUMES}/{VOLUME}")
    except ApiStatusError as error:
        if error.code != 404:
            raise
    bench.until(lambda: _volume(bench) is None, STARTED_S)
    bench.apply(bench.given("given/lecteur.yaml"))


def symptoms(bench: Bench) -> bool:
    """Return whether the scheduler has said that the claim is missing."""
    conditions = bench.namespace.get("pod", POD)["status"].get("conditions", ())
    return any(CLAIM in condition.get("message", "") for condition in conditions)


def check(bench: Bench) -> Finding:
    """Return what keeps the pod from its documents."""
    claims = {item["metadata"]["name"]: item for item in bench.namespace.list("pvc")}
    if CLAIM not in claims:
        if _volume(bench) is None:
            return Finding("intact", "ni volume, ni demande : le pod attend.")
        return Finding("demande", f"la demande « {CLAIM} » n’existe pas.")
    if not bench.until(lambda: _bound(bench), BOUND_S):
        volume = _volume(bench)
        why = _unbound(bench.namespace.get("pvc", CLAIM), volume)
        fresh = volume is not None and volume["status"].get("phase") != "Released"
        if not (why.code == "lie" and fresh and bench.until(lambda: _bound(bench), SEEN_AGAIN_S)):
            return why
    name = bench.namespace.get("pvc", CLAIM)["spec"]["volumeName"]
    volume = bench.cluster.api.request("GET", f"{VOLUMES}/{name}")
    if volume["spec"].get("hostPath", {}).get("path") != FOLDER:
        if name != VOLUME:
            return Finding("classe", f"la demande a reçu « {name} », fabriqué par une classe.")
        return Finding("dossier", f"« {name} » n’est pas le dossier {FOLDER} du nœud.")
    if not bench.until(lambda: ready(bench.namespace.get("pod", POD)), STARTED_S):
        return Finding("bloque", "la demande est liée, et le pod ne démarre pas.")
    return Finding(
        None,
        f"le pod lit {FOLDER} du nœud par la demande « {CLAIM} ».\n"
        "Le volume n’est dans aucun espace de noms : « stop » le laisse. Après lui, "
        f"« kubectl delete pv {VOLUME} » le supprime.",
    )


def _bound(bench: Bench) -> bool:
    return bool(bench.namespace.get("pvc", CLAIM)["status"].get("phase") == "Bound")


def _volume(bench: Bench) -> dict[str, Any] | None:
    volumes = bench.cluster.api.request("GET", VOLUMES)["items"]
    return next((item for item in volumes if item["metadata"]["name"] == VOLUME), None)


def _unbound(claim: dict[str, Any], volume: dict[str, Any] | None) -> Finding:
    """Return why a claim has no volume: what it asks for that the student's volume does not offer."""
    if volume is None:
        return Finding("volume", f"la demande attend, et « {VOLUME} » n’existe pas.")
    wanted, offered = claim["spec"], volume["spec"]
    classes = [spec.get("storageClassName") or "aucune" for spec in (wanted, offered)]
    if classes[0] != classes[1]:
        return Finding(
            "classe", f"la demande est de classe « {classes[0]} », le volume « {classes[1]} »."
        )
    needed, there = wanted["resources"]["requests"]["storage"], offered["capacity"]["storage"]
    if parse_quantity(needed) > parse_quantity(there):
        return Finding("taille", f"la demande veut {needed}, le volume a {there}.")
    if missing := set(wanted["accessModes"]) - set(offered["accessModes"]):
        return Finding("acces", f"le volume n’offre pas {', '.join(sorted(missing))}.")
    return Finding(
        "lie", f"« {VOLUME} » est {volume['status'].get('phase')}, et la demande attend."
    )
